"""The website: five pages in two languages, rendered to plain files that any web server can send."""

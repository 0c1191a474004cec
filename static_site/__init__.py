"""The website: five pages in two languages, rendered to plain files for any server."""

"""One module per technology that implements a port."""

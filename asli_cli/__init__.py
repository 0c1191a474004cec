"""The `asli` command: the detector on this machine, a service elsewhere, and the service's keys."""

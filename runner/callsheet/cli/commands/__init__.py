"""A file per command; each defines `command`."""

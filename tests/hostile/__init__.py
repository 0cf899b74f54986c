"""Input that nobody would send on purpose: to handlers, to readers of files, to the port."""

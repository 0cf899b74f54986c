"""Joins core and storage: the only writer, its recovery, its timers and its watchers."""

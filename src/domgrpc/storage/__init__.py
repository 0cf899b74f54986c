"""Durable bytes: a log of checksummed frames, snapshots, and the disk below them.

Nothing here knows what a record means. The engine hands over payloads and counts, and gets
them back in order or gets an error that names the place.
"""

"""How `domgrpc load` brings a CSV file to the server: one module for each kind of file.

The columns are documented in docs/csv.md.
"""

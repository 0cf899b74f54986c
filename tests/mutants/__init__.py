"""Planted faults: each must be found by the tests that are there for its kind."""

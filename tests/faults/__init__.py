"""Real faults, each with a figure that it must reach: `python -m tests.faults.run`."""

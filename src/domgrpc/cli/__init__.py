"""The command line, `domgrpc`: one module for each group of commands.

Commands import what they need when they run, so that `domgrpc --help` stays fast.
"""

"""Routing: which locations fulfil an order, at the least cost, with a proof.

Numbers in, numbers out: nothing here knows a location, a product or an order. Read `instance.py`
for what is asked and answered, `solver.py` for how it is found, `search.py` for the proof.
"""

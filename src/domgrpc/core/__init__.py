"""Pure business rules: values in, values out. machine.py is the only entrance."""

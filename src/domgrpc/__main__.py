"""`python -m domgrpc` is the program `domgrpc`."""

from domgrpc.cli.main import main

if __name__ == "__main__":
    main()

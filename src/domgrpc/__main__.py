"""`python -m domgrpc` is the program `domgrpc`."""

from domgrpc.cli.main import main  # tidy: allow arrow: it is the program

if __name__ == "__main__":
    main()

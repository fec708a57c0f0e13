"""`python -m carboy`, and the `carboy` command."""

from carboy.cli.main import main

if __name__ == "__main__":
    main()

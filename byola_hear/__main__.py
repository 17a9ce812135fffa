"""``python -m byola_hear``: the same as ``byola-hear``."""

from byola_hear.cli.main import main

if __name__ == "__main__":
    main()

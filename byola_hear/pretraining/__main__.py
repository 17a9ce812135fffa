"""``python -m byola_hear.pretraining``."""

from byola_hear.pretraining.cli import main

if __name__ == "__main__":
    main()

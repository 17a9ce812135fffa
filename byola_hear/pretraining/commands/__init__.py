"""The commands of ``python -m byola_hear.pretraining``, one per module."""

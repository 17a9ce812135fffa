"""Pre-training with BYOL-A: audio → manifest → log-mel cache → views → BYOL → checkpoint.

Run as ``python -m byola_hear.pretraining``; needs the ``pretraining`` extra.
"""

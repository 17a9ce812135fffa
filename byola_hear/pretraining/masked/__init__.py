"""Masked prediction: masks, networks and loss."""

"""Labelled sets: where they come from, how they are unpacked, and their clips as arrays."""

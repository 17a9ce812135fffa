"""Quantities instead of classes: what a linear probe predicts from a clip embedding."""

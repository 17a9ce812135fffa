"""Distillation: a network learns to predict what other networks, the teachers, make of the same audio."""

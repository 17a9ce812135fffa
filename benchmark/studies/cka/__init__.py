"""Similarity of networks by layer: linear centred kernel alignment of their activations on the same clips."""

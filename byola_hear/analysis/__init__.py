"""Exploration of embeddings: neighbours, layouts and maps."""

"""Formats of tables of embeddings, one module each."""

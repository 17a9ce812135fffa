"""The models that are compared: networks and baselines by name, their embeddings, and their rows in tables."""

"""What is done with embeddings: neighbours, layouts and maps."""

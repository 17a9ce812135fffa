"""What standardising embeddings changes: the same tasks and probe on embeddings as they are and standardised."""

"""The project's own probe: a ridge classifier on standardised clip embeddings."""

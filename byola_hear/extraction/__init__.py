"""From many files to rows of embeddings."""

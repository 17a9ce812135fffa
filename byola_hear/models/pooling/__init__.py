"""From frame features to embeddings of clips and of windows."""

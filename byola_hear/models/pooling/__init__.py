"""Frame features to embeddings, over a clip or over windows."""

"""When something begins: how the hop and the window of timestamp embeddings bear on finding onsets."""

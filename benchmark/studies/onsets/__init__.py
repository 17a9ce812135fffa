"""Onsets: how the hop and the window of timestamp embeddings affect their detection."""

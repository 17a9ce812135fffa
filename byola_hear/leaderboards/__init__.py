"""Adapters for two public leaderboards of audio embeddings: MAEB (part of mteb) and X-ARES."""

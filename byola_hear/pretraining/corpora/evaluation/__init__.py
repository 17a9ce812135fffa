"""Freesound clips that a corpus shares with evaluation sets, found by the ids that its credits name."""

"""Numbers instead of classes: what a linear probe can read off a clip embedding as a quantity."""

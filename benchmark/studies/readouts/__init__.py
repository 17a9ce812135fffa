"""Three ways to use an embedding: a probe with all labels, nearest neighbours, and 20 labels a class."""

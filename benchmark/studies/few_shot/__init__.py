"""How few labels an embedding needs: probes trained on one, five, eight or twenty clips of each class."""

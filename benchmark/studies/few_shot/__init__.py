"""How few labels an embedding needs: probes trained on one, five or twenty clips of each class."""

"""The audio that a network is trained on: manifests, and the log-mel cache of a manifest."""

"""What a network is trained on: manifests, and the log-mel cache that is made of one."""

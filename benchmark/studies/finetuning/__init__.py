"""Fine-tuned against frozen networks, on held-out groups of real sets."""

"""The networks that turn log-mel spectrograms into frame features."""

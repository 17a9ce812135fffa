"""From a waveform to an embedding: front end, networks, pooling, checkpoints and their names."""

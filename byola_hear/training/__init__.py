"""What pre-training and fine-tuning share: states on disk, seeds of steps, mixed log-mels."""

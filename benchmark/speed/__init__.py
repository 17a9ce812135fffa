"""Speed, start-up time and memory, measured and compared with plain references."""

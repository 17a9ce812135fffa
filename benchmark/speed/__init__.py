"""Speed and memory, shown as ratios to plain references."""

"""Studies beyond classification, a folder each."""

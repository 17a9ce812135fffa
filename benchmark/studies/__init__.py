"""Studies that go beyond classification, a folder each."""

"""What a table keeps on disk while it is written, so that it survives a crash."""

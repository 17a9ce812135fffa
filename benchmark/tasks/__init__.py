"""Tasks in HEAR's layout on disk, one builder a file."""

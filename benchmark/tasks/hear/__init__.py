"""The suite ``hear``: HEAR's published tasks."""

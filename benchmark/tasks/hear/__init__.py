"""HEAR's own published tasks."""

"""Detection: from a few labels in recordings to events in hours of others."""

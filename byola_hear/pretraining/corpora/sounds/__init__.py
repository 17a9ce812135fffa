"""Find and decode the sounds in a folder, in many formats."""

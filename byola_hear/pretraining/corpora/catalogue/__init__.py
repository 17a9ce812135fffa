"""Free corpora by name: what they are and where they come from."""

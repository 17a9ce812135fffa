"""The sounds that a package holds, found and decoded."""

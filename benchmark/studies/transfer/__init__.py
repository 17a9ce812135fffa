"""Transfer matrices: a probe trained under one condition, tested under every other that has the same labels."""

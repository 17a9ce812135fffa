"""What is compared: networks and baselines by name, loaded, embedded, and as rows of a table."""

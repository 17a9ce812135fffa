"""Tables, documents and the provenance of results."""

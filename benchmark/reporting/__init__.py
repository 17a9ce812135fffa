"""What results are written as: tables, documents, and where the numbers come from."""

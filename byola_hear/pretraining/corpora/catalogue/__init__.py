"""The catalogue of free corpora: their names, licences and rules."""

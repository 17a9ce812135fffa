"""What the headers of audio formats say, and where their audio lies: read without decoding it."""

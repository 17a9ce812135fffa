"""What a classifier is worth, for people: as text, and as one HTML page with sounds to listen to."""

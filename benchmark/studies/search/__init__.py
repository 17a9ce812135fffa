"""Search: neighbours by the plain and by the standardised cosine, in small collections, and away from a wrong hit."""

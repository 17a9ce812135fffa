"""From many files to rows of embeddings: find clips, decode them, embed them."""

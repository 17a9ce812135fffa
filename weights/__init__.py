"""The networks that come with byola_hear, with a card for each; installed as ``byola_hear.weights``."""

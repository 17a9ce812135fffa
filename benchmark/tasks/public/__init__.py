"""The suite ``public``: fourteen tasks made of public labelled sets."""

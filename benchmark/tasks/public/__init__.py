"""The suite ``public``: fifteen tasks made of public labelled sets."""

"""The suite ``mini``: six small tasks made of packages of Debian and PyPI."""

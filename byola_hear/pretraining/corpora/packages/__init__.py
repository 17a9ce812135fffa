"""Fetch, verify and unpack Debian packages."""

"""Packages of Debian: fetched, verified and unpacked."""

"""Helpers that have nothing to do with audio: files, devices, pages, downloads."""

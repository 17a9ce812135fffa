"""Corpora by name: Debian packages, tars and folders of sounds → one folder of 16 kHz FLAC files and a manifest.

The way of a sound: ``catalogue`` knows the packages and what in them is what; ``fetch`` brings a package,
``deb`` unpacks it, ``sounds`` finds what is audible in it, ``decode`` gives it the form that training reads,
``speech_filter`` keeps speech out of what is to be free of it, ``sampling`` keeps music from swamping the
rest, and ``build`` does it for a whole set, goes on where it was interrupted and writes the manifest.

Run as ``python -m byola_hear.pretraining corpora``.
"""

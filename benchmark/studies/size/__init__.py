"""Size against data: networks of several widths, each pre-trained on several volumes for equally many steps."""

"""BYOL for Audio: networks, loss and views."""

"""Representational similarity analysis (RSA): models' similarity of sounds, by acoustics and by listeners.

Source:
    Kriegeskorte, Mur and Bandettini, Representational similarity analysis: connecting the branches of systems
    neuroscience, Frontiers in Systems Neuroscience 2 (2008).
"""

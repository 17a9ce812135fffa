"""Representational similarity analysis: what makes two sounds alike to a model, in terms of acoustics and listeners.

Source:
    Kriegeskorte, Mur and Bandettini, Representational similarity analysis: connecting the branches of systems
    neuroscience, Frontiers in Systems Neuroscience 2 (2008).
"""

"""From labelled sounds to a classifier, and from a classifier to detections in recordings.

:func:`~byola_hear.classification.training.learn` fits a :class:`~byola_hear.classification.classifier.Classifier` to
labelled windows, :mod:`byola_hear.classification.file` stores it, and :func:`byola_hear.predict` applies it to
recordings of any length.
"""

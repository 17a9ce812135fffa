"""Embeddings as a step in pipelines of scikit-learn, and a classifier of sounds.

>>> from sklearn.linear_model import LogisticRegression
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> classifier = make_pipeline(ByolaTransformer("speech"), StandardScaler(), LogisticRegression())
>>> classifier.fit(files, labels).predict(other_files)  # doctest: +SKIP
"""

try:
    from sklearn.utils.validation import validate_data  # noqa: F401 - new in scikit-learn 1.6
except ImportError as error:
    raise ImportError(
        "byola_hear.sklearn needs scikit-learn 1.6 or later: pip install 'byola-hear[sklearn]'"
    ) from error

from byola_hear.sklearn.classifier import ByolaClassifier
from byola_hear.sklearn.transformer import ByolaTransformer

__all__ = ["ByolaClassifier", "ByolaTransformer"]

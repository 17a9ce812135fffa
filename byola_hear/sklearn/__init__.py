"""Embeddings as a step in pipelines of scikit-learn, and a classifier of sounds.

>>> from sklearn.linear_model import LogisticRegression
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> classifier = make_pipeline(ByolaTransformer("speech"), StandardScaler(), LogisticRegression())
>>> classifier.fit(files, labels).predict(other_files)  # doctest: +SKIP
"""

from byola_hear.utils.optional import advice

try:
    from sklearn.utils.validation import validate_data  # noqa: F401 - new in scikit-learn 1.6
except Exception as error:
    needed = advice(error, "sklearn", "scikit-learn 1.6 or later", "sklearn")
    raise ImportError(f"byola_hear.sklearn needs {needed}") from error

from byola_hear.sklearn.classifier import ByolaClassifier
from byola_hear.sklearn.transformer import ByolaTransformer

__all__ = ["ByolaClassifier", "ByolaTransformer"]

"""What learning takes from scikit-learn, which is not installed with the package, or one error that says how to."""

from byola_hear.utils.optional import advice

try:
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.preprocessing import StandardScaler
except Exception as error:
    raise ImportError(f"learning needs {advice(error, 'sklearn', 'scikit-learn 1.6 or later', 'sklearn')}") from error

__all__ = ["StandardScaler", "StratifiedGroupKFold"]

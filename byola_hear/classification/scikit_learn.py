"""What learning takes from scikit-learn, which is not installed with the package, or one error that says how to."""

try:
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.preprocessing import StandardScaler
except ImportError as error:
    raise ImportError("learning needs scikit-learn 1.6 or later: pip install 'byola-hear[sklearn]'") from error

__all__ = ["StandardScaler", "StratifiedGroupKFold"]

"""A page on which a person listens to detections and says which of them are right."""

from __future__ import annotations

from byola_hear.analysis.review.choosing import CHOICES, choose, merged, shortened
from byola_hear.analysis.review.page import write_review

__all__ = ["CHOICES", "choose", "merged", "shortened", "write_review"]

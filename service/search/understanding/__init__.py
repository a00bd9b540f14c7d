"""Query understanding: words into words, filters, soft boosts, and chips that say what was read."""

from service.search.understanding.chips import Chip, SoftBoost, Understood
from service.search.understanding.understand import understand

__all__ = ["Chip", "SoftBoost", "Understood", "understand"]

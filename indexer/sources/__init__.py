"""Catalogue files, and folders of images, as streams of products."""

from indexer.sources.opening import Source, open_source
from indexer.sources.rows import BrokenRow, SourceRow

__all__ = ["BrokenRow", "Source", "SourceRow", "open_source"]

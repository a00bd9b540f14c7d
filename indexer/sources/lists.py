"""Cells that hold several things: category paths and images."""

import re
from collections.abc import Iterable

from indexer.sources.cells import objects_of, texts_of
from indexer.sources.rows import BadValueError
from indexer.sources.text import clean_line, unescape

_BEFORE_URL = re.compile(r"\s*[,;\s]\s*(?=https?://)", re.IGNORECASE)
_BETWEEN_FILES = re.compile(r"\s*[,;]\s*")
_IMAGE_FILE = re.compile(r".+\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif|heic)", re.IGNORECASE)
_URL = re.compile(r"https?://", re.IGNORECASE)
_POINTING = re.compile(r"\s*[>›»→]\s*")
_DEPTH = 4
"""How deep lists of images may nest."""
_ADDRESS_KEYS = ("src", "url", "uri", "link", "path", "href")


def category_path(text: str, *, slashes: bool = True) -> tuple[str, ...]:
    """The steps of one path. `>` separates them, and where there is none `/`, unless `slashes` is off.

    A path of nothing but numbers is an identifier in some taxonomy, not a category: it gives ().
    """
    text = unescape(text)
    parts = _POINTING.split(text)
    if len(parts) == 1 and slashes:
        parts = text.split("/")
    path = tuple(step for part in parts if (step := clean_line(part)))
    return () if all(step.isdecimal() for step in path) else path


def image_uris(values: Iterable[object]) -> tuple[str, ...]:
    """The distinct addresses in all the cells, in order."""
    texts = [text for value in values for text in _addresses(value, _DEPTH)]
    return tuple(dict.fromkeys(uri for text in texts for uri in split_images(text)))


def split_images(text: str) -> list[str]:
    """The addresses in one text, already free of `|`.

    URLs may contain commas and semicolons, so those separate only in front of another URL, or where every
    part has the name of an image file.
    """
    if _URL.search(text):
        return [part for part in _BEFORE_URL.split(text) if part]
    parts = [part for part in _BETWEEN_FILES.split(text) if part]
    return parts if all(_IMAGE_FILE.fullmatch(part) for part in parts) else [text]


def _addresses(value: object, depth: int) -> list[str]:
    if depth < 0:
        raise BadValueError("images: nested too deeply")
    found = objects_of(value)
    if found is not None:
        return next((texts_of(found[key]) for key in _ADDRESS_KEYS if found.get(key)), [])
    if isinstance(value, list):
        return [text for item in value for text in _addresses(item, depth - 1)]
    return texts_of(value)

"""The seam to whoever rewrites captions better than rules do."""

from typing import Protocol

MAX_CAPTION = 300
"""Characters; a text encoder reads fewer."""


class Rewriter(Protocol):
    def rewrite(self, caption: str, wanted: str) -> str | None:
        """The caption of the same product, were it as wanted; None where there is none in time.

        Plain text of at most MAX_CAPTION characters. Never raises.
        """


def plain(text: object) -> str | None:
    """What a model said as plain text: one line, nothing unprintable, cut at a word; None where nothing is left."""
    if not isinstance(text, str):
        return None
    printable = "".join(mark if mark.isprintable() else " " for mark in text[: 4 * MAX_CAPTION])
    line = " ".join(printable.split())
    if len(line) > MAX_CAPTION:
        line = line[:MAX_CAPTION].rpartition(" ")[0] or line[:MAX_CAPTION]
    return line or None

"""open_clip's own tokenizer without torch: the same cleaning and splitting, pair merges by `tokenizers`."""

import html
import string
from collections.abc import Sequence
from pathlib import Path

import regex
import tokenizers

from indexer.encoders.exported.record import TokenizerRecord
from indexer.errors import InputError

_PUNCTUATION = str.maketrans("", "", string.punctuation)


def pattern(specials: Sequence[str]) -> str:
    """What a text is split by before pairs are merged (CLIP, `simple_tokenizer.py`)."""
    return "|".join(specials) + r"""|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def cleaned(text: str, way: str) -> str:
    """As `open_clip.tokenizer` cleans (3.3): broken encodings mended, entities resolved, white space joined."""
    plain = text.strip() if _sound(text) else _mended(text).strip()
    if way == "canonicalize":
        plain = plain.replace("_", " ").translate(_PUNCTUATION).lower()
    joined = " ".join(plain.split())
    return joined.lower() if way == "lower" else joined


def _sound(text: str) -> bool:
    """Whether nothing in it can be mended, which is so of most of what shoppers type; to import ftfy takes .07 s."""
    return text.isascii() and text.isprintable() and "&" not in text


def _mended(text: str) -> str:
    import ftfy

    return html.unescape(html.unescape(ftfy.fix_text(text)))


class Tokenizer:
    """Texts to tokens; `merges` maps a word's bytes to tokens and knows the special ones."""

    def __init__(self, record: TokenizerRecord, merges: tokenizers.Tokenizer) -> None:
        self._record = record
        self._merges = merges
        self._pieces = regex.compile(pattern(record.specials), regex.IGNORECASE)
        self._start, self._end = record.start, record.end

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """Of each text start, tokens and end; a longer one is cut at the context length and still ends so."""
        return [self._tokens(text) for text in texts]

    def _tokens(self, text: str) -> list[int]:
        pieces = self._pieces.findall(cleaned(text, self._record.clean))
        inner: list[int] = self._merges.encode(pieces, is_pretokenized=True, add_special_tokens=False).ids
        return [self._start, *inner[: self._record.context_length - 2], self._end]


def open_tokenizer(path: Path, record: TokenizerRecord) -> Tokenizer:
    """Raises InputError for a file that is not a tokenizer's."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    try:
        return Tokenizer(record, tokenizers.Tokenizer.from_str(text))
    except Exception as error:  # tokenizers raises nothing narrower
        raise InputError(f"{path} is not a tokenizer: {error}.") from error

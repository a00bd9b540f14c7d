"""A byte-pair merges file of our own, in the form that open_clip's SimpleTokenizer reads.

The method is Sennrich, Haddow and Birch 2016 (arXiv:1508.07909) over bytes: the most frequent pair of neighbouring
symbols is merged, again and again. A word the merges do not know is still spelled from its bytes.
"""

import gzip
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import regex

MERGES_FILE = "showroom_bpe.txt.gz"
BASE_SYMBOLS = 512
"""256 bytes, each inside a word and at its end."""
SPECIAL_SYMBOLS = 2
"""Start and end of text, the last two ids."""

Pair = tuple[str, str]
Word = tuple[str, ...]

_WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
_END = "</w>"


def learn_merges(texts: Iterable[str], count: int) -> list[Pair]:
    """The `count` most useful merges of the texts, best first; ties in frequency go to the alphabet."""
    words = _spelled(texts)
    merges: list[Pair] = []
    while len(merges) < count:
        pairs = _pair_counts(words)
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        words = {_merged(word, best): number for word, number in words.items()}
        merges.append(best)
    return merges


def write_merges(merges: Iterable[Pair], path: Path) -> None:
    """Header line, then one merge a line; no final newline, which the reader would take for a symbol."""
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out:
        out.write("\n".join(lines).encode())


def byte_symbols() -> dict[int, str]:
    """Byte → printable character, as in GPT-2 and CLIP: printable bytes stand for themselves."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


def _spelled(texts: Iterable[str]) -> dict[Word, int]:
    symbols = byte_symbols()
    counts = Counter(word for text in texts for word in _WORDS.findall(text.lower()))
    spelled: dict[Word, int] = {}
    for word, number in counts.items():
        letters = [symbols[byte] for byte in word.encode()]
        spelled[(*letters[:-1], letters[-1] + _END)] = number
    return spelled


def _pair_counts(words: dict[Word, int]) -> Counter[Pair]:
    pairs: Counter[Pair] = Counter()
    for word, number in words.items():
        for pair in pairwise(word):
            pairs[pair] += number
    return pairs


def _merged(word: Word, pair: Pair) -> Word:
    result: list[str] = []
    position = 0
    while position < len(word):
        if word[position : position + 2] == pair:
            result.append(word[position] + word[position + 1])
            position += 2
        else:
            result.append(word[position])
            position += 1
    return tuple(result)

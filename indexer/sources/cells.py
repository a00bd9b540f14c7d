"""One cell, whatever the format made of it, as text, a list of texts or an object."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from decimal import Decimal

from indexer.sources.rows import BadValueError

_DEPTH = 4
"""How deep lists and objects may nest."""


def text_of(value: object) -> str:
    """Stripped text; '' for what is absent, also NaN. Whole numbers lose `.0`, truth is yes or no.

    Raises BadValueError for a NUL and for what is not Unicode, lists and objects included.
    """
    if value is None:
        return ""
    if isinstance(value, str | bytes):
        return _checked(value if isinstance(value, str) else _decoded(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, date | time):
        return value.isoformat()
    raise BadValueError(f"a {type(value).__name__} where text is expected")


def texts_of(value: object) -> list[str]:
    """The non-empty texts of a cell: of a list its items, of text its parts between `|`."""
    return [text for item in _items(value, _DEPTH) if (text := text_of(item))]


def objects_of(value: object) -> Mapping[str, object] | None:
    """The cell when it is an object, also one that Parquet keeps as a list of pairs."""
    if isinstance(value, Mapping):
        return {str(name): item for name, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
        return {str(name): item for name, item in value}
    return None


def _items(value: object, depth: int) -> Iterator[object]:
    if depth < 0:
        raise BadValueError("lists nested too deeply")
    if isinstance(value, list | tuple):
        for item in value:
            yield from _items(item, depth - 1)
    elif isinstance(value, str):
        yield from value.split("|")
    else:
        yield value


def _checked(text: str) -> str:
    if "\x00" in text:
        raise BadValueError("a NUL byte")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadValueError("text that is not valid Unicode; save the file as UTF-8") from error
    return text.strip()


def _number(value: float | Decimal) -> str:
    number = Decimal(str(value))
    if number.is_nan():
        return ""
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return str(value)
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadValueError("bytes that are not UTF-8") from error

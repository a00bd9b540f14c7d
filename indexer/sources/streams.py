"""The bytes of a catalogue file, from wherever it is, unpacked when they are gzip."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from indexer.errors import SourceError
from indexer.places import Place, why

_GZIP = b"\x1f\x8b"
_BUFFER = 1 << 16


@contextmanager
def opened(place: Place) -> Iterator[BinaryIO]:
    """A stream that is read once, from the start. Raises SourceError when it cannot be opened or read to its end."""
    try:
        with place.open("rb") as raw:
            stream = io.BufferedReader(cast(io.RawIOBase, raw), _BUFFER)
            if stream.peek(2)[:2] == _GZIP:
                with gzip.GzipFile(fileobj=stream) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{place} is damaged or was not copied to its end: {error}.") from error
    except OSError as error:
        raise SourceError(f"{place} cannot be read: {why(error)}.") from error

"""Which build of a catalog is published, as a small file that a reader finds whole or not at all.

The ledger's row is the truth; the pointer is written after it and repaired from it at start.
"""

import json
import os
from functools import partial
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

from indexer.errors import StoreMismatch


def write_pointer(home: Path, catalog: str, build: str) -> None:
    """Durable and atomic: a reader sees the former build or this one."""
    path = _path(home, catalog)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps({"catalog": catalog, "build": build}).encode())


def read_pointer(home: Path, catalog: str) -> str | None:
    """The build's name, None when nothing was published. Raises StoreMismatch when the file is damaged."""
    path = _path(home, catalog)
    try:
        return str(json.loads(path.read_bytes())["build"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreMismatch(f"{path} is damaged: publish a build of {catalog!r} again.") from error


def write_atomically(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Replace the file by one rename and put it on the disk; its directory must exist. `mode` as for `os.open`."""
    temporary = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        with open(temporary, "xb", opener=partial(os.open, mode=mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _path(home: Path, catalog: str) -> Path:
    return home / "published" / f"{quote(catalog, safe='')}.json"

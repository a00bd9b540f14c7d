"""Where catalogues and their photos are: a path of this machine, or an address that fsspec opens.

An address is shown and stored, so it may hold no secret: credentials come from the environment, as each driver
reads them (AWS_…, GOOGLE_APPLICATION_CREDENTIALS, …).
"""

import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from indexer.errors import SettingsError, SourceError

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(?:::|://)")
_SECRET_NAME = re.compile(r"(?i)sig|token|key|secret|passw|pwd|auth|cred|expires|policy")
_SECRET_VALUE = re.compile(r"[A-Za-z0-9+/=_-]{24,}")
_QUERY = re.compile(r"(https?://[^\s?'\"]+)\?[^\s'\"]*")
_IN_REMOTE = frozenset({"s3", "s3a", "gs", "gcs", "https"})
"""Schemes whose drivers the extra `remote` installs."""
WHOLE_PUTS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})
"""Storage where an object appears whole or not at all; elsewhere it is written under another name and moved."""
_BLOCK = 4 << 20
"""Bytes read ahead of what is asked for."""
_VERSIONS = ("ETag", "etag", "generation", "md5Hash", "mtime", "LastModified", "updated", "created")
"""What drivers call that which changes with a file, the surest first."""
_DRIVER_ERRORS = (
    ("aiohttp", "ClientError"),
    ("azure.core.exceptions", "AzureError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
)
"""Errors of drivers that are no OSError."""


class Entry(NamedTuple):
    """What a folder holds under a name."""

    name: str
    is_folder: bool


class Held(NamedTuple):
    """A file of a folder; `changed` in seconds since 1970, 0 where the driver does not say."""

    name: str
    size: int
    changed: float


class Status(NamedTuple):
    size: int
    is_file: bool
    stamp: str
    """Another one after every change of the file."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file or folder such as `s3://shop/products.parquet`. Raises SourceError for an address that holds a secret.

    Its methods raise OSError, whatever driver is behind it, and SettingsError when there is none.
    """

    url: str

    def __post_init__(self) -> None:
        _demand_no_secret(self.url)

    def __str__(self) -> str:
        return self.url

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0].lower()

    @property
    def name(self) -> str:
        """Of the file or folder; of a bucket or host its own."""
        return self._path().rstrip("/").rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """As of a Path, with its point; '' when there is none."""
        return Path(self.name).suffix

    @property
    def parent(self) -> "Remote":
        """The folder; of a bucket or host itself."""
        folder, _, _ = self._path().rstrip("/").rpartition("/")
        return Remote(f"{self.scheme}://{folder or self._path()}")

    def __truediv__(self, relative: str) -> "Remote":
        """Something in the folder, by a path; in a web address what may not stand there is escaped."""
        inside = quote(relative, safe="/%?&=;,:@!$'()*+~") if self.scheme == "https" else relative
        return Remote(f"{self.url.rstrip('/') if self._path() else self.url}/{inside}")

    @contextmanager
    def open(self, mode: str = "rb", *, jumping: bool = False) -> Iterator[BinaryIO]:
        """Its bytes, read as they are asked for; what goes wrong in the `with` block is an OSError too.

        `jumping`: large pieces are read out of order; else from the start to the end, of the web in one request.
        """
        block = 0 if self.scheme == "https" and not jumping else _BLOCK
        with _os_errors():
            filesystem, path = _filesystem(self.url)
            cache = "none" if jumping else "readahead"
            with filesystem.open(path, mode, block_size=block, cache_type=cache) as stream:
                yield stream

    def read(self, end: int) -> bytes:
        """The first `end` bytes at most."""
        with _os_errors():
            filesystem, path = _filesystem(self.url)
            content: bytes = filesystem.cat_file(path, 0, end)
            return content

    def status(self) -> Status:
        with _os_errors():
            filesystem, path = _filesystem(self.url)
            found: Mapping[str, object] = filesystem.info(path)
        size = found.get("size")
        version = next((str(found[name]).strip('"') for name in _VERSIONS if found.get(name)), "")
        count = size if isinstance(size, int) else 0
        return Status(count, found.get("type") == "file", f"{version[:100]}:{count}")

    def write(self, content: bytes) -> None:
        """It appears whole or not at all."""
        with _os_errors():
            filesystem, path = _filesystem(self.url)
            if self.scheme in WHOLE_PUTS:
                filesystem.pipe_file(path, content)
                return
            filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            temporary = f"{path}.{secrets.token_hex(4)}.tmp"
            filesystem.pipe_file(temporary, content)
            filesystem.mv(temporary, path)

    def upload(self, source: Path) -> None:
        """It becomes what the file of this machine holds, whole or not at all."""
        with _os_errors():
            filesystem, path = _filesystem(self.url)
            if self.scheme in WHOLE_PUTS:
                filesystem.put_file(str(source), path)
                return
            filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            temporary = f"{path}.{secrets.token_hex(4)}.tmp"
            filesystem.put_file(str(source), temporary)
            filesystem.mv(temporary, path)

    def remove(self) -> None:
        with _os_errors():
            filesystem, path = _filesystem(self.url)
            filesystem.rm_file(path)

    def is_folder(self) -> bool:
        """Web addresses are files: what their folders hold cannot be told."""
        if self.scheme == "https":
            return False
        with _os_errors():
            filesystem, path = _filesystem(self.url)
            return bool(filesystem.isdir(path))

    def entries(self) -> list[Entry]:
        """What the folder holds, by name."""
        with _os_errors():
            filesystem, path = _filesystem(self.url)
            listed: list[Mapping[str, object]] = filesystem.ls(path, detail=True)
        found = ((str(one["name"]).rstrip("/").rpartition("/")[2], one.get("type") == "directory") for one in listed)
        return sorted(Entry(name, is_folder) for name, is_folder in found if name)

    def files(self) -> list[Held]:
        """What lies directly in the folder; nothing where there is none."""
        with _os_errors():
            filesystem, path = _filesystem(self.url)
            try:
                listed: list[Mapping[str, object]] = filesystem.ls(path, detail=True)
            except FileNotFoundError:
                return []
        return [
            Held(str(one["name"]).rpartition("/")[2], int(str(one.get("size") or 0)), _changed(one))
            for one in listed
            if one.get("type") == "file"
        ]

    def _path(self) -> str:
        """Behind the scheme, without the query of a web address."""
        path = self.url.partition("://")[2]
        return re.split(r"[?#]", path, maxsplit=1)[0] if self.scheme == "https" else path


def _changed(told: Mapping[str, object]) -> float:
    """Drivers say it as seconds, as a datetime or in ISO 8601."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = told.get(name)
        if isinstance(value, str):
            with suppress(ValueError):
                value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, (int, float)):
            return float(value)
    return 0.0


Place = Path | Remote


def place_of(text: str) -> Place:
    """A path, or what an address leads to; of `file:` the path. Raises SourceError."""
    found = _ADDRESS.match(text)
    if found is None:
        return Path(text)
    if found[1].lower() not in ("file", "local"):
        return Remote(text)
    address = urlsplit(text)
    if address.netloc not in ("", "localhost"):
        raise SourceError(f"{text} names another machine; give a path of this one.")
    return Path(unquote(address.path))


def why(error: Exception) -> str:
    """The reason for the end of a sentence, without secrets."""
    told = error.strerror if isinstance(error, OSError) else None
    if isinstance(error, FileNotFoundError) and not told:
        return "there is no such file, or its server does not answer"
    reason = told or str(error).partition("\n")[0] or type(error).__name__
    return _shown(reason)[:200].rstrip(". ")


def _shown(text: str) -> str:
    """Without the queries of web addresses, which may be signed."""
    return _QUERY.sub(r"\1?…", text)


def _demand_no_secret(url: str) -> None:
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    if "::" in url or (not rest and scheme.lower() != "memory"):
        raise SourceError(f"{_shown(url)!r} is not one address; give one such as s3://bucket/products.csv.")
    if scheme.lower() == "http":
        raise SourceError("Catalogues are not read over http, which anybody on the way can alter; use https.")
    web = scheme.lower() == "https"
    if "@" in host and (web or ":" in host.partition("@")[0] or scheme.lower() in _IN_REMOTE):
        raise SourceError(
            f"An address of {scheme}:// holds a name or password; addresses are stored and shown, so give credentials "
            "in the environment instead."
        )
    if web and any(_SECRET_NAME.search(name) or _SECRET_VALUE.fullmatch(value) for name, value in _parameters(url)):
        raise SourceError(
            f"The address {url.partition('?')[0]} is signed or holds a token; addresses are stored and shown, so "
            "download the file, or read it from its bucket with credentials in the environment."
        )


def _parameters(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def _filesystem(url: str):  # type: ignore[no-untyped-def]  # fsspec has no types
    """The driver's filesystem and the path in it."""
    from fsspec.core import url_to_fs

    scheme = url.partition("://")[0].lower()
    try:
        return url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        todo = "run: pip install 'vitrine[remote]'" if scheme in _IN_REMOTE else f"{error}"
        raise SettingsError(f"Reading {scheme}:// needs a driver that is not installed; {todo}.") from error
    except ValueError as error:
        raise SourceError(
            f"There is no way to read {scheme}:// addresses; give a path, s3://, gs:// or https://."
        ) from error


@contextmanager
def _os_errors() -> Iterator[None]:
    try:
        yield
    except driver_errors() as error:
        raise OSError(str(error) or type(error).__name__) from error


def driver_errors() -> tuple[type[Exception], ...]:
    """What the drivers that are loaded raise and is no OSError."""
    loaded = ((sys.modules.get(module), name) for module, name in _DRIVER_ERRORS)
    return tuple(getattr(module, name) for module, name in loaded if module is not None)

"""From what a catalogue calls an image to a file: inside the catalogue's folder, or nowhere.

A catalogue is somebody else's text. Its paths are relative to a root and may not leave it, by `..`, by a symbolic
link, or by a notation of another system; only regular files are read, and no more of them than allowed. The root may
be an address: then what is inside has one too, and one of the web is fetched as any other is.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from indexer.errors import FetchFailed, ImageRejected
from indexer.images.gate import too_large
from indexer.images.reasons import Reason, rejected
from indexer.places import Place, Remote, Status, why

if TYPE_CHECKING:
    from indexer.domain import ImageRef

_URL = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]*://|data:|file:)")
_DRIVE = re.compile(r"[A-Za-z]:")
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_ENTER = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY


def is_url(uri: str) -> bool:
    """Whether it names something to fetch, or to refuse to fetch, rather than a path."""
    return _URL.match(uri) is not None


def read_local(root: Path, uri: str, max_bytes: int) -> bytes:
    """The file's bytes; raises `ImageRejected` when it is not a readable regular file within `root`."""
    with _errors_named(uri), closing(_Opened(root, _inside(root, uri))) as opened:
        size = os.fstat(opened.file).st_size
        if size > max_bytes:
            raise too_large(size, max_bytes)
        return _read(opened.file, max_bytes)


def read_remote(address: Remote, max_bytes: int) -> bytes:
    """The file's bytes; raises `ImageRejected` when there is none to read, `FetchFailed` when there may be later."""
    status = _status(address)
    if status.size > max_bytes:
        raise too_large(status.size, max_bytes)
    try:
        content = address.read(min(status.size, max_bytes) + 1) if status.size else b""
    except OSError as error:
        raise FetchFailed(f"{shown(str(address))} could not be read: {why(error)}") from error
    if len(content) > max_bytes:
        raise too_large(len(content), max_bytes)
    return content


def address_inside(root: Remote, uri: str) -> Remote:
    """Where the image is; it may not exist. Raises `ImageRejected` for what is, or may be, outside the root."""
    _demand_relative(uri)
    if root.scheme == "https":
        _demand_relative(unquote(uri))
    parts = [part for part in uri.split("/") if part not in ("", ".")]
    if not parts or uri.endswith("/"):
        raise rejected(Reason.NOT_A_FILE, f"not a file: {shown(uri)}")
    return root / "/".join(parts)


def source_stamp(ref: "ImageRef", root: Place) -> str:
    """Of a local file `mtime_ns:size`, of one in a bucket its version and size, '' for a web address.

    Equal stamps mean that the file need not be read again. Raises `ImageRejected` where no file can be read.
    """
    if is_url(ref.uri):
        return ""
    if isinstance(root, Remote):
        return _remote_stamp(address_inside(root, ref.uri))
    with _errors_named(ref.uri):
        status = os.stat(Path(os.path.realpath(root)) / _inside(root, ref.uri), follow_symlinks=False)
    return f"{status.st_mtime_ns}:{status.st_size}"


def _remote_stamp(address: Remote) -> str:
    if address.scheme == "https":
        return ""
    try:
        return _status(address).stamp
    except FetchFailed as error:
        raise rejected(Reason.FETCH_FAILED, str(error)) from error


def _status(address: Remote) -> Status:
    try:
        status = address.status()
    except FileNotFoundError as error:
        raise rejected(Reason.MISSING, f"no such file: {shown(str(address))}") from error
    except PermissionError as error:
        raise rejected(Reason.UNREADABLE, f"{shown(str(address))} cannot be read: {why(error)}") from error
    except OSError as error:
        raise FetchFailed(f"{shown(str(address))} could not be read: {why(error)}") from error
    if not status.is_file:
        raise rejected(Reason.NOT_A_FILE, f"not a file: {shown(str(address))}")
    return status


def _demand_relative(uri: str) -> None:
    if is_url(uri):
        raise rejected(Reason.NOT_HTTPS, f"only https URLs and paths are accepted, not {shown(uri)}")
    foreign = "\0" in uri or "\\" in uri or _DRIVE.match(uri)
    if foreign or uri.startswith("/") or ".." in uri.split("/"):
        raise rejected(Reason.OUTSIDE_ROOT, f"the path must be relative and stay inside the catalogue: {shown(uri)}")


def _inside(root: Path, uri: str) -> Path:
    """`uri` relative to the real root with every symbolic link followed; it may not exist."""
    _demand_relative(uri)
    real_root = os.path.realpath(root)
    real = os.path.realpath(os.path.join(real_root, uri))
    if real == real_root:
        raise rejected(Reason.NOT_A_FILE, f"not a file: {shown(uri)}")
    if not real.startswith(real_root.rstrip("/") + "/"):
        raise rejected(Reason.OUTSIDE_ROOT, f"a symbolic link leads outside the catalogue: {shown(uri)}")
    return Path(real).relative_to(real_root)


def shown(uri: str) -> str:
    """The URI for a message: at most 200 characters, control characters escaped."""
    return repr(uri if len(uri) <= 200 else uri[:197] + "...")


class _Opened:
    """A regular file opened folder by folder without following links, so that nothing can be swapped meanwhile."""

    def __init__(self, root: Path, inside: Path) -> None:
        folder = os.open(os.path.realpath(root), os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        try:
            for part in inside.parts[:-1]:
                parent, folder = folder, os.open(part, _ENTER, dir_fd=folder)
                os.close(parent)
            _demand_regular(os.stat(inside.name, dir_fd=folder, follow_symlinks=False), inside)
            self.file = os.open(inside.name, _READ, dir_fd=folder)
        finally:
            os.close(folder)
        try:
            _demand_regular(os.fstat(self.file), inside)
        except ImageRejected:
            self.close()
            raise

    def close(self) -> None:
        os.close(self.file)


def _demand_regular(status: os.stat_result, inside: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise rejected(Reason.NOT_A_FILE, f"not a regular file: {shown(str(inside))}")


def _read(file: int, max_bytes: int) -> bytes:
    with os.fdopen(file, "rb", closefd=False) as stream:
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise too_large(len(content), max_bytes)
    return content


@contextmanager
def _errors_named(uri: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _MISSING:
            raise rejected(Reason.MISSING, f"no such file: {shown(uri)}") from error
        raise rejected(Reason.UNREADABLE, f"{shown(uri)} cannot be read: {error.strerror}") from error
    except UnicodeEncodeError as error:
        raise rejected(Reason.MISSING, f"no file can have this name: {shown(uri)}") from error

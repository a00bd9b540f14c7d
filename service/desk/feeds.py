"""Catalogue files that people give to the desk, and where on this machine it may take others from."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from typing import BinaryIO, Final

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.errors import ImageRejected, SourceError
from indexer.images.containers import sniff
from indexer.images.fetch import Fetcher
from indexer.settings import Settings
from indexer.sources.opening import READERS, format_of, suffix_of
from service.desk.choosing import shown_name
from service.desk.parcels import lay_out, unpack

FETCH_SECONDS: Final = 120.0
"""For a feed at an address."""
TABLES: Final = "text/csv,text/tab-separated-values,application/json,application/xml,text/xml,*/*;q=0.5"
"""What the servers of feeds are asked for."""
KEPT: Final = 40
"""Files that nothing was built from stay until so many newer ones came."""
_SAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 60
_DIGITS = 12
_PIECE = 1 << 20
ARCHIVE: Final = ".zip"
MOST_UNPACKED: Final = 3
"""An archive may come to so many times what may be uploaded: photos do not shrink, tables do."""
_GZIP = b"\x1f\x8b"
_NO_TABLES = (
    (b"PK\x03\x04", "an archive or a spreadsheet's workbook"),
    (b"%PDF", "a PDF"),
    (_GZIP, "packed with gzip without being called .gz"),
)
_ORIGIN = ".origin"
"""Behind the name of a file that was fetched, of the one that says from where."""


@dataclass(frozen=True)
class Known:
    """A catalogue that was built before."""

    catalog: str
    source: str
    root: str
    language: str
    origin: str | None
    """The address that the file was fetched from."""
    shown: str
    """Where it is; of a file that the desk keeps only what it is called."""


class Feeds:
    """Files under `home/feeds`, each named by its content, so that the same one is there once."""

    def __init__(self, database: Database, settings: Settings, fetcher: Fetcher | None = None) -> None:
        """`fetcher`; absent: one that goes to public addresses over https only."""
        self._database = database
        self._settings = settings
        self._folder = settings.home.absolute() / "feeds"
        self.limit = settings.pages.max_feed_bytes
        """Bytes of a file."""
        self._fetcher = fetcher

    def keep(self, content: BinaryIO, name: str) -> Path:
        """The file, stored. `name` is what the one who uploads calls it, which says of what format it is.

        Raises SourceError for one that is empty, too large or of no known format.
        """
        safe = _safe(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        hashed, size = hashlib.sha256(), 0
        with NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as file:
            try:
                while piece := content.read(_PIECE):
                    size += len(piece)
                    if size > self.limit:
                        raise too_large(self.limit)
                    hashed.update(piece)
                    file.write(piece)
                if size == 0:
                    raise SourceError("The file is empty; choose another one.")
                file.flush()
                _demand_table(Path(file.name), safe)
            except BaseException:
                os.unlink(file.name)
                raise
        kept = self._folder / f"{hashed.hexdigest()[:_DIGITS]}-{safe}"
        os.replace(file.name, kept)
        self._make_room(kept)
        return kept

    def keep_with_photos(self, content: BinaryIO, name: str, photos: Sequence[tuple[str, BinaryIO]]) -> Path:
        """The catalogue file, in a folder with its photos: of an archive, or given beside it. Raises as `keep`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        room = Path(mkdtemp(dir=self._folder, prefix="."))
        try:
            packed = name.lower().endswith(ARCHIVE)
            laid = (
                unpack(content, room, MOST_UNPACKED * self.limit)
                if packed
                else lay_out((_safe(name), content), photos, room, self.limit)
            )
            _demand_table(laid.feed)
            kept = self._folder / laid.digest[:_DIGITS]
            if not kept.exists():
                room.rename(kept)
            os.utime(kept)
        finally:
            shutil.rmtree(room, ignore_errors=True)
        self._make_room(kept)
        return kept / laid.feed.relative_to(room)

    def fetch(self, address: str) -> Path:
        """The feed at an https address, stored. Raises SourceError for one that leads nowhere, FetchFailed."""
        try:
            with self._open_fetcher() as fetcher:
                content = fetcher.fetch(address)
        except ImageRejected as error:
            raise SourceError(f"The feed cannot be fetched: {error.detail}.") from error
        name = address.partition("?")[0].rstrip("/").rpartition("/")[2]
        kept = self.keep(BytesIO(content), name if suffix_of(name) else f"{name or 'feed'}{format_of(content[:99])}")
        kept.with_name(kept.name + _ORIGIN).write_text(address, "utf-8")
        return kept

    def keeps(self, source: str) -> bool:
        """Whether it is a file that was stored here, by itself."""
        return Path(source).parent == self._folder

    def known(self) -> list[Known]:
        """What each catalog was built from last."""
        with self._database.session() as session:
            catalogs = CatalogRepository(session)
            records = [catalogs.get(name) for name in catalogs.names()]
        return [
            Known(one.name, one.source, one.root, one.language, self._origin(one.source), self._shown(one.source))
            for one in records
        ]

    def demand_allowed(self, source: str, root: str | None) -> None:
        """Raises SourceError for a file or folder that is neither the desk's own nor of a folder it may read."""
        sources, roots = self._built_before()
        if source not in sources and not self._inside(source):
            raise _forbidden(source)
        if root is not None and root not in roots and not self._inside(root):
            raise _forbidden(root)

    def _built_before(self) -> tuple[set[str], set[str]]:
        with self._database.session() as session:
            catalogs = CatalogRepository(session)
            records = [catalogs.get(name) for name in catalogs.names()]
            builds = BuildRepository(session).recent(limit=1_000)
        sources = {one.source for one in records} | {one.source for one in builds}
        roots = {one.root for one in records} | {str(one.settings.get("root")) for one in builds}
        return sources, roots

    def _inside(self, place: str) -> bool:
        real = Path(os.path.realpath(place))
        folders = [self._folder, *self._settings.pages.sources]
        return "://" not in place and any(real.is_relative_to(os.path.realpath(folder)) for folder in folders)

    def _shown(self, source: str) -> str:
        return shown_name(source) if self._folder in Path(source).parents else source

    def _origin(self, source: str) -> str | None:
        try:
            return Path(source + _ORIGIN).read_text("utf-8") if self.keeps(source) else None
        except OSError:
            return None

    def _make_room(self, newest: Path) -> None:
        """Files by themselves, and folders of files that came with photos; what anything was built from stays."""
        sources, roots = self._built_before()
        used = {path for place in (*sources, *roots) for path in (Path(place), *Path(place).parents)}
        here = [path for path in self._folder.iterdir() if path.suffix != _ORIGIN and not path.name.startswith(".")]
        unused = sorted((path for path in here if path not in used), key=lambda path: -path.stat().st_mtime)
        for path in unused[KEPT:]:
            if path == newest:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
                path.with_name(path.name + _ORIGIN).unlink(missing_ok=True)

    @contextmanager
    def _open_fetcher(self) -> Iterator[Fetcher]:
        if self._fetcher is not None:
            yield self._fetcher
            return
        with Fetcher(self.limit, FETCH_SECONDS, accept=TABLES, noun="feed") as fetcher:
            yield fetcher


def too_large(limit: int) -> SourceError:
    return SourceError(
        f"The file is larger than {limit / 1e6:,.0f} MB, which is all the desk takes. Set pages.max_feed_bytes, or put "
        "the file into a folder that pages.sources names."
    )


def _safe(name: str) -> str:
    """The end of the name, which has the suffix, in letters that every system takes."""
    base = _SAFE.sub("-", re.split(r"[/\\]", name)[-1]).strip("-.")[-_LONGEST:].lstrip("-.")
    if not suffix_of(base):
        raise SourceError(f"{name[:80]!r} is of no known format; give {', '.join(READERS)}, gzip or not.")
    return base


def _demand_table(path: Path, name: str | None = None) -> None:
    """Raises SourceError for a file that is something else, whatever it is called."""
    with path.open("rb") as file:
        head = file.read(64)
    found = next((kind for beginning, kind in _NO_TABLES if head.startswith(beginning)), None)
    if sniff(head) is not None:
        found = "a picture"
    if found is not None and not (head.startswith(_GZIP) and (name or path.name).lower().endswith(".gz")):
        raise SourceError(f"{name or path.name} is {found}, not a table; export the catalogue as CSV and choose that.")


def _forbidden(place: str) -> SourceError:
    return SourceError(
        f"The desk may not read {place[:200]!r}. Name its folder in the setting pages.sources, or build it once with: "
        "vitrine build"
    )

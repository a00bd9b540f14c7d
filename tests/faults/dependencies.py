"""A service of which one part is at the other end of something that fails."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from fakeredis import TcpFakeServer

from indexer.store_settings import StoreSettings
from service.shop import Shop
from tests.faults import storage
from tests.faults.faulty import NOISE, faulty_way, to
from tests.faults.matrix import DATABASE_SECONDS, ENDPOINT_SECONDS, STORE_SECONDS
from tests.faults.small_disk import clear, fill, read_only, small_disk
from tests.faults.test_unreachable import reached
from tests.faults.world import Base, World, built, over, served
from tests.indexer.catalog.databases import empty_database
from tests.openai_server import OpenAiServer, Reply, Request, answering
from tests.picture_server import BLUE, drawing
from tests.qdrant_server.rest import speaking
from tests.qdrant_server.wire import serving as qdrant
from tests.replicate_server import IN_THE_ANSWER, Model
from tests.service.rerank.judging import checks_in
from tests.service.worlds import HOSTS, PUBLIC

JSON_NOISE: Final = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{"result": ["\\u00"'
)
"""Of an HTTP server that has lost its mind: well-formed to the body."""


@contextmanager
def _store(base: Base, folder: Path, grpc: bool) -> Iterator[World]:
    with qdrant() as wire, speaking(wire) as rest:
        settings = base.settings(base.copied(folder), store=_qdrant(wire.port, rest, True, 30))
        built(settings, base.catalogue)
        garbage = NOISE if grpc else JSON_NOISE
        with faulty_way(to(wire.port if grpc else rest), garbage) as way:
            ports = (way.port, 1) if grpc else (1, way.port)
            near = _qdrant(*ports, grpc, STORE_SECONDS)
            with over(way, settings.model_copy(update={"store": StoreSettings.model_validate(near)})) as world:
                yield world


def _qdrant(grpc_port: int, rest: int, grpc: bool, seconds: int) -> dict[str, object]:
    url = f"http://127.0.0.1:{rest}"
    given = {"url": url, "grpc_port": grpc_port, "prefer_grpc": grpc, "search_timeout": seconds, "timeout": seconds}
    return {"kind": "qdrant", "qdrant": {**given, "retries": 1}}


@contextmanager
def postgresql(base: Base, folder: Path) -> Iterator[World]:
    with empty_database("postgresql", folder) as url:
        server = sa.make_url(url)
        with faulty_way(lambda: reached(server)) as way:
            query = {name: given for name, given in server.query.items() if name != "host"}
            near = server.set(host="127.0.0.1", port=way.port, query={**query, "sslmode": "disable"})
            database = {"url": near.render_as_string(hide_password=False), "seconds": DATABASE_SECONDS}
            settings = base.settings(folder / "home", database=database)
            built(settings, base.catalogue)
            with over(way, settings) as world:
                yield world


@contextmanager
def sqlite(base: Base, folder: Path) -> Iterator[World]:
    """On a small disk; skips where none can be mounted."""
    with small_disk(folder / "disk", 64) as disk, ExitStack() as broken:
        settings = base.settings(base.copied(disk), database={"seconds": DATABASE_SECONDS})
        faults = Broken(settings.home / "vitrine.db", disk, broken)
        with served(settings, faults.go, faults.mend) as world:
            faults.shop = world.shop
            yield world


@dataclass
class Broken:
    """What can be wrong with a database that is a file."""

    file: Path
    disk: Path
    broken: ExitStack
    shop: Shop | None = None

    def go(self, fault: str) -> None:
        match fault:
            case "locked":
                other = sqlite3.connect(self.file, check_same_thread=False)
                other.execute("BEGIN IMMEDIATE")
                self.broken.callback(other.close)
            case "full disk":
                fill(self.disk)
                self.broken.callback(clear, self.disk)
            case "read-only":
                self.broken.enter_context(read_only(self.disk))
                self._forget()
            case "corrupt":
                with closing(sqlite3.connect(self.file)) as other:
                    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._forget()
                content = self.file.read_bytes()
                self.file.write_bytes(NOISE * (len(content) // len(NOISE)))
                self.broken.callback(self.file.write_bytes, content)
                self.broken.callback(self._forget)

    def mend(self) -> None:
        self.broken.close()

    def _forget(self) -> None:
        """Connections that are open go on with what they have seen."""
        assert self.shop is not None
        self.shop.database.dispose()


@contextmanager
def _endpoint(
    base: Base,
    folder: Path,
    answer: Callable[[Request], Reply],
    given: Callable[[str], Mapping[str, object]],
    **changes: object,
) -> Iterator[World]:
    with OpenAiServer(answer) as server:
        garbage = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"choices": [{'
        with faulty_way(to(urlsplit(server.url).port or 0), garbage) as way:
            free = {"budget": {"prices": {"small": {"input": 0, "output": 0}}}}
            settings = base.settings(base.copied(folder), **free, **given(f"http://127.0.0.1:{way.port}"))
            with over(way, settings, **changes) as world:
                yield world


def judging(base: Base, folder: Path) -> AbstractContextManager[World]:
    rerank = {"model": "small", "seconds": ENDPOINT_SECONDS}
    return _endpoint(
        base,
        folder,
        lambda request: answering(dict.fromkeys(checks_in(request), "A")),
        lambda url: {"rerank": {**rerank, "base_url": f"{url}/v1"}},
        more={"verify": True},
    )


def language(base: Base, folder: Path) -> AbstractContextManager[World]:
    section = {"model": "small", "seconds": ENDPOINT_SECONDS}
    return _endpoint(
        base,
        folder,
        lambda request: answering({"caption": "Blue mug"}),
        lambda url: {"language": {**section, "base_url": f"{url}/v1"}},
        edits=True,
    )


def openai(base: Base, folder: Path) -> AbstractContextManager[World]:
    section = {"generators": ["openai"], "draft_seconds": ENDPOINT_SECONDS}
    return _endpoint(
        base,
        folder,
        lambda request: drawing(BLUE),
        lambda url: {"generate": {**section, "openai": {"base_url": f"{url}/v1", "model": "small"}}},
        edits=True,
        more={"generate": "draft"},
    )


def replicate(base: Base, folder: Path) -> AbstractContextManager[World]:
    section = {"generators": ["replicate"], "draft_seconds": ENDPOINT_SECONDS}
    model = {"model": "acme/painter", "dollars": 0}
    return _endpoint(
        base,
        folder,
        Model(output=IN_THE_ANSWER),
        lambda url: {"generate": {**section, "replicate": {**model, "base_url": url}}},
        edits=True,
        more={"generate": "draft"},
    )


@contextmanager
def pictures(base: Base, folder: Path) -> Iterator[World]:
    with storage.storage() as url:
        generate = {"generators": ["recolour"], "cache_url": f"{url}/pictures", "draft_seconds": 60}
        settings = base.settings(base.copied(folder), generate=generate)
        with served(settings, storage.go, storage.mend, edits=True, more={"generate": "draft"}) as world:
            yield world


@contextmanager
def embeddings(base: Base, folder: Path) -> Iterator[World]:
    with storage.storage() as url:
        settings = base.settings(folder / "home", embeddings={"url": f"{url}/embeddings"})
        built(settings, base.catalogue)
        with served(settings, storage.go, storage.mend, put=True) as world:
            yield world


@contextmanager
def redis(base: Base, folder: Path) -> Iterator[World]:
    server = TcpFakeServer(("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        with faulty_way(to(server.server_address[1])) as way:
            access = {"redis": f"redis://127.0.0.1:{way.port}/0", "hosts": HOSTS, "public": PUBLIC}
            with over(way, base.settings(base.copied(folder), access=access)) as world:
                yield world
    finally:
        server.shutdown()
        server.server_close()


DEPENDENCIES: Final[Mapping[str, Callable[[Base, Path], AbstractContextManager[World]]]] = {
    "Qdrant over gRPC": lambda base, folder: _store(base, folder, grpc=True),
    "Qdrant over REST": lambda base, folder: _store(base, folder, grpc=False),
    "PostgreSQL": postgresql,
    "SQLite": sqlite,
    "Judging endpoint": judging,
    "Language endpoint": language,
    "OpenAI images": openai,
    "Replicate": replicate,
    "Object storage of pictures": pictures,
    "Object storage of embeddings": embeddings,
    "Redis": redis,
}

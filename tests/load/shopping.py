"""What shoppers of the showroom ask, and a service of it that is there for them alone."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx2
from PIL import Image

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build
from indexer.catalog.builds import BuildRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.states import Scope
from indexer.settings import Settings
from service.access import Access
from tests.load.arrivals import PATIENCE, Ask

COLOURS = ("red", "blue", "green", "black", "white", "yellow", "grey", "brown")
KINDS = ("mug", "chair", "lamp", "shoe", "jacket", "bag", "table", "cushion", "vase", "clock")
READY_SECONDS = 120.0


@dataclass(frozen=True)
class Shop:
    """A service that runs. `ids` are products of its catalogue, `key` changes them."""

    url: str
    pid: int
    ids: Sequence[str]
    key: str

    def client(self) -> httpx2.AsyncClient:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=2)  # server: 5
        return httpx2.AsyncClient(base_url=self.url, trust_env=False, timeout=PATIENCE, limits=limits)

    @property
    def words(self) -> Ask:
        """Never twice the same, so that none is remembered."""

        async def ask(client: httpx2.AsyncClient, chance: random.Random) -> httpx2.Response:
            text = f"{chance.choice(COLOURS)} {chance.choice(KINDS)} {chance.randrange(10**9)}"
            return await client.post("/v1/search", json={"text": text})

        return ask

    @property
    def everything(self) -> Ask:
        """Words, products, edits, photos, pages, changes of products, and a look at the service."""
        kinds = {
            "words": 52,
            "alike": 10,
            "edit": 10,
            "photo": 6,
            "results": 8,
            "page": 6,
            "change": 5,
            "look": 3,
        }

        async def ask(client: httpx2.AsyncClient, chance: random.Random) -> httpx2.Response:
            (kind,) = chance.choices(list(kinds), list(kinds.values()))
            return await self._asked(kind, client, chance)

        return ask

    async def _asked(self, kind: str, client: httpx2.AsyncClient, chance: random.Random) -> httpx2.Response:
        product, colour = chance.choice(self.ids), chance.choice(COLOURS)
        match kind:
            case "alike":
                return await client.post("/v1/search", json={"like": product})
            case "edit":
                return await client.post("/v1/search", json={"like": product, "change": f"but {colour}"})
            case "photo":
                return await client.post("/v1/search/photo", files={"photo": ("a.jpg", _photo(chance), "image/jpeg")})
            case "results":
                return await client.get("/", params={"q": f"{colour} {chance.choice(KINDS)}"})
            case "page":
                return await client.get(f"/p/{product}")
            case "change":
                change = {"price": round(chance.uniform(5, 200), 2)}
                return await client.patch(f"/v1/products/{product}", json=change, headers={"X-API-Key": self.key})
            case "look":
                return await client.get("/metrics")
        return await self.words(client, chance)


@contextmanager
def showroom(home: Path, folder: Path, port: int) -> Iterator[Shop]:
    """A copy of the home, which nobody else has, served by a process of its own. Raises OSError for a taken port."""
    socket.create_server(("127.0.0.1", port)).close()
    shutil.copytree(home, folder / "home", ignore=shutil.ignore_patterns("service.json", "metrics"))
    settings = Settings.model_validate({"home": folder / "home"})
    database = open_catalogue(settings)
    key = Access(database).add("load", [Scope.MERCHANDISE])[1]
    catalog, build = published_build(database, None)
    with database.session() as session:
        generation = BuildRepository(session).get(build).generation
        ids = [one.id for one in ProductRepository(session).page(catalog, limit=200, generation=generation)]
    database.dispose()
    environment = {
        **os.environ,
        "VITRINE_HOME": str(folder / "home"),
        "VITRINE_ACCESS__PER_ADDRESS": "1000000/minute",
        "VITRINE_ACCESS__PER_KEY": "1000000/minute",
        "VITRINE_TELEMETRY__LEVEL": "warning",
    }
    vitrine = Path(sys.executable).parent / "vitrine"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [vitrine, "serve", "--port", str(port)], env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            yield Shop(_ready(f"http://127.0.0.1:{port}", process, folder / "log"), process.pid, ids, key)
        finally:
            process.terminate()
            process.wait(60)


def _ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx2.get(f"{url}/v1/ready", trust_env=False).status_code == 200:
                return url
        except httpx2.HTTPError:
            time.sleep(0.2)
    raise SystemExit(f"The service did not become ready:\n{log.read_text()[-2_000:]}")


def resident(pid: int) -> int:
    """Bytes that a process and its children have in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own * 1024 + sum(resident(int(child)) for child in children)


def _photo(chance: random.Random) -> bytes:
    """A thing of some colour before a wall of another."""
    picture = Image.new("RGB", (320, 320), _colour(chance))
    picture.paste(_colour(chance), (80, 60, 240, 280))
    file = BytesIO()
    picture.save(file, "JPEG")
    return file.getvalue()


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)

"""A real `vitrine serve` on a home of its own, with a slice of the showroom built and published in it."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from indexer.bootstrap import open_catalogue, open_pipeline
from indexer.settings import Settings
from indexer.showroom.catalogue import ShowroomProduct, catalogue
from indexer.showroom.write import write_showroom
from indexer.sources import open_source
from service.address import FILE

CATALOG = "showroom"
VITRINE = str(Path(sys.executable).with_name("vitrine"))
PATIENCE = 240.0
"""Seconds until a service answers, on a machine that does other things too."""
KINDS = ("sneaker", "t-shirt", "handbag", "mug", "kettle", "lamp", "chair", "vase")
FAMILIES = 4
"""Of each kind."""
VARIANTS = 3
"""Of each family, in several colours."""
PHOTO_SIZE = 224
GIVEN = {
    "VITRINE_CATALOG": CATALOG,
    "VITRINE_LOAD__WAIT_SECONDS": "60",
    "VITRINE_LOAD__SECONDS": "60",
    "VITRINE_RERANK__SECONDS": "60",
    "VITRINE_DATABASE__SECONDS": "60",
    "VITRINE_ENCODER__RUNTIME": "torch",
    "OMP_NUM_THREADS": "1",
}
"""Patient, and without exporting an encoder, which takes longer than small builds do."""
_KEY = re.compile(r"\bvitrine_[\w-]{20,}")


@dataclass(frozen=True)
class Served:
    """`key` opens the desk and the bench."""

    url: str
    key: str
    home: Path


def slice_of_the_showroom() -> list[ShowroomProduct]:
    families: dict[str, dict[str, list[ShowroomProduct]]] = {kind: {} for kind in KINDS}
    for product in catalogue():
        known = families.get(product.look.kind)
        if known is None or (product.parent not in known and len(known) == FAMILIES):
            continue
        known.setdefault(product.parent, []).append(product)
    return [product for known in families.values() for family in known.values() for product in family[:VARIANTS]]


def built_home(folder: Path) -> Path:
    """The VITRINE_HOME, built by whichever process comes first; the others wait for it. Only to be copied."""
    folder.mkdir(parents=True, exist_ok=True)
    home, done = folder / "home", folder / "done"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(home, ignore_errors=True)
            source = write_showroom(folder / "photos", slice_of_the_showroom(), PHOTO_SIZE)
            settings = Settings.model_validate({"home": home, "catalog": CATALOG})
            open_pipeline(open_catalogue(settings), settings).run(open_source(source), CATALOG, lambda progress: None)
            done.touch()
    return home


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Served]:
    """A service that owns `home` and ends with the block; `settings` are variables without their VITRINE_."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    own = {f"VITRINE_{name}": value for name, value in settings.items()}
    environment = {**kept, **GIVEN, **own, "VITRINE_HOME": str(home)}
    log = home.with_name(f"{home.name}.log")
    with log.open("wb") as told:
        process = subprocess.Popen(
            [VITRINE, "serve", "--port", "0"], env=environment, cwd=home, stdout=told, stderr=subprocess.STDOUT
        )
    try:
        url = _address(process, home, log)
        key = _KEY.search(log.read_text("utf-8"))
        yield Served(url, key[0] if key else "", home)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: "subprocess.Popen[bytes]", home: Path, log: Path) -> str:
    """Where the service answers, once it does."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            url = str(json.loads((home / FILE).read_text("utf-8"))["url"])
            if httpx2.get(f"{url}/v1/health", trust_env=False, timeout=5).status_code == 200:
                return url
        except (OSError, ValueError, httpx2.HTTPError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"no service came up:\n{log.read_text('utf-8')[-3000:]}")

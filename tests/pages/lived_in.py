"""Something in every corner of a service: two builds, a hostile catalog, rules, suites, runs, and work under way."""

import json
import re
import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import httpx2
from PIL import Image

from indexer.bootstrap import open_catalogue, open_pipeline
from indexer.settings import Settings
from indexer.sources import open_source
from tests.pages.hostile import CATALOG as HOSTILE
from tests.pages.hostile import product_id, write_hostile
from tests.pages.serving import CATALOG, PATIENCE, Served


def live_in(served: Served, session: str, source: Path, folder: Path) -> dict[str, str]:
    """What addresses of pages are filled with, quoted as they are in them. `session` is the cookie of somebody who may
    do everything, `source` the catalogue file of the showroom's build."""
    build_hostile(served.home, folder)
    held = hold_a_build(served.home, source, folder)
    products = [json.loads(line)["id"] for line in source.read_text("utf-8").splitlines()]
    names = {"held": held, "product": products[0], "last": products[-1], "hostile": product_id(0)}
    cookies = {"vitrine_session": session}
    with httpx2.Client(base_url=served.url, trust_env=False, timeout=PATIENCE, cookies=cookies) as visitor:
        names |= work(visitor, source)
    return {name: quote(value, safe="") for name, value in names.items()}


def build_hostile(home: Path, folder: Path) -> None:
    settings = Settings.model_validate({"home": home, "catalog": HOSTILE})
    source = open_source(write_hostile(folder / "hostile"))
    open_pipeline(open_catalogue(settings), settings).run(source, HOSTILE, lambda progress: None)


def hold_a_build(home: Path, source: Path, folder: Path) -> str:
    """Of the showroom with products less, and others dearer, to be published yet; its id."""
    settings = Settings.model_validate({"home": home, "catalog": CATALOG})
    rows = [json.loads(line) for line in source.read_text("utf-8").splitlines()]
    dearer = [row | {"price": row["price"] + 1} for row in rows[3:20]]
    fewer = source.with_name(f"{folder.name}.jsonl")
    fewer.write_text("".join(json.dumps(row) + "\n" for row in [*dearer, *rows[20:]]), "utf-8")
    pipeline = open_pipeline(open_catalogue(settings), settings)
    return pipeline.run(open_source(fewer), CATALOG, lambda progress: None, hold=True).build


def work(visitor: httpx2.Client, source: Path) -> dict[str, str]:
    """What people do at the desk and the bench; the names of what came of it."""
    rule = {"kind": "synonym", "query": "beaker", "words": "mug", "catalog": CATALOG}
    assert visitor.post("/desk/rules", data=rule).status_code == 303
    rehearsed = visitor.post("/desk/dry-runs", data={"source": str(source), "catalog": CATALOG})
    assert rehearsed.status_code == 303, rehearsed.text
    wish = {"catalog": CATALOG, "name": "all", "kinds": ["text", "edit"], "queries": "4"}
    assert visitor.post("/bench/suites", data=wish).status_code == 303
    suite = waited(visitor, "/bench/suites", r'href="/bench/suites/(all-[^"/?]+)"')[0]
    runs = []
    for run in ("first", "second"):
        begin_run(visitor, {"suite": suite, "name": run, "depth": "20"})
        runs += waited(visitor, "/bench", rf'href="/bench/runs/([^"/?]+)">{run}<')
    answer = visitor.post("/photo", files={"photo": ("photo.png", _photo(), "image/png")})
    return {
        "source": str(source),
        "dry_run": rehearsed.headers["location"].rpartition("/")[2],
        "suite": suite,
        "run": runs[1],
        "other": runs[0],
        "photo": _found(answer.headers["location"], r"photo=([^&]+)")[0],
    }


def begin_run(visitor: httpx2.Client, run: Mapping[str, str]) -> None:
    """A run on the bench, which does one thing at a time."""
    until = time.monotonic() + PATIENCE
    while (answer := visitor.post("/bench/runs", data=run)).status_code == 409 and time.monotonic() < until:
        time.sleep(0.2)
    assert answer.status_code == 303, answer.text


def waited(visitor: httpx2.Client, path: str, pattern: str, count: int = 1) -> list[str]:
    """What the pattern finds, once it finds so much."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        page = visitor.get(path).text
        if len(found := _found(page, pattern)) >= count:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{path} does not come to {pattern}:\n{page}")


def _found(text: str, pattern: str) -> list[str]:
    return list(dict.fromkeys(re.findall(pattern, text)))


def _photo() -> bytes:
    content = BytesIO()
    picture = Image.new("RGB", (240, 320), (240, 240, 240))
    picture.paste((200, 40, 40), (60, 100, 180, 260))
    picture.save(content, "PNG")
    return content.getvalue()

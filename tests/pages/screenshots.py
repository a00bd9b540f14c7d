"""`make screenshots`: the README's pictures, from a showroom that is built and served afresh."""

import tempfile
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import httpx2
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from eval.suites.showroom import write_showroom_suites
from eval.web.archive import key_of_suite
from indexer.settings import Settings
from service.demo import build_showroom
from tests.pages.browsing import Browsing, chromium
from tests.pages.lived_in import begin_run, hold_a_build, waited
from tests.pages.serving import CATALOG, PATIENCE, serving

FOLDER = Path(__file__).parents[2] / "docs" / "images"
WIDTH, HEIGHT = 1280, 860
MOST = 150_000
"""Bytes of a picture."""
RUNS = {
    "photos alone": "understand=false\nweights.text.image=1\nweights.text.text=0\nweights.text.lexical=0",
    "as set": "",
}
SHOTS = {
    "shop": "/?like=DRS-0108-OR&change=but+blue&draw=draft",
    "desk": "/desk/builds/{held}",
    "bench": "/bench/compare?a={before}&b={after}",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "spring-collection"
        home = folder / "home"
        build_showroom(Settings.model_validate({"home": home, "catalog": CATALOG}), lambda progress: None)
        source = home / "showroom" / "catalogue.jsonl"
        held = hold_a_build(home, source, folder)
        with serving(home) as served, httpx2.Client(base_url=served.url, trust_env=False, timeout=PATIENCE) as visitor:
            visitor.post("/sign-in", data={"key": served.key})
            before, after = compared(home, visitor)
            told = {"held": held, "before": before, "after": after}
            names = {name: quote(value, safe="") for name, value in told.items()}
            shoot(served.url, str(visitor.cookies["vitrine_session"]), names)


def compared(home: Path, visitor: httpx2.Client) -> tuple[str, str]:
    """Keys of two runs of the showroom's own suite of words: as it is set, and by photos alone."""
    text, _, _ = write_showroom_suites(home, photos=1)
    suite = str(key_of_suite(Settings.model_validate({"home": home}), text.directory))
    for number, (name, settings) in enumerate(RUNS.items(), start=1):
        begin_run(visitor, {"suite": suite, "name": name, "settings": settings, "depth": "20"})
        runs = waited(visitor, "/bench", r'href="/bench/runs/([^"/?]+)"', number)
    return runs[1], runs[0]


def shoot(url: str, session: str, names: dict[str, str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        browsing = Browsing(browser, url, session)
        for name, path in SHOTS.items():
            page = browsing.page(signed_in=name != "shop", width=WIDTH, height=HEIGHT)
            page.goto(path.format(**names), wait_until="networkidle")
            (FOLDER / f"{name}.webp").write_bytes(picture(page))
            print(FOLDER / f"{name}.webp")
        browser.close()


def picture(page: Page) -> bytes:
    """As a WebP file, as good as fits."""
    shown = Image.open(BytesIO(page.screenshot()))
    for quality in range(90, 20, -10):
        content = BytesIO()
        shown.save(content, "WEBP", quality=quality, method=6)
        if len(content.getvalue()) <= MOST:
            break
    return content.getvalue()


if __name__ == "__main__":
    main()

"""A catalogue of which three rows in a hundred are broken, in every way that is known."""

import csv
import io
import json
import random
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import pytest
from PIL import Image

from tests.fakes import COLOURS
from tests.faults.extents import extents, seeded
from tests.faults.forks import Forks
from tests.indexer.builds.shop import COLUMNS, Shop
from tests.indexer.images.drawn import png, saved, scene

MEMORY = 500 * 2**20

Reject = tuple[int | None, str | None, str]
"""Line, product and reason."""


def hanging() -> bytes:
    """Progressive JPEG whose last scan comes thousands of times: minutes of decoding."""
    content = saved(Image.new("L", (4_000, 4_000), 128), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * 5_000 + b"\xff\xd9"


JPEG = saved(scene(), "JPEG")
FILES = {
    "truncated": ("truncated", JPEG[: len(JPEG) // 2]),
    "bomb": ("too_many_pixels", png(19_999, 19_999, 8, 2, b"")),
    "html": ("unsupported_format", b"<!doctype html><title>Not found</title>"),
    "crash": ("decode_failed", hanging()),
}
"""Photos by what is wrong with them, and the reason that is to be named."""
KINDS = ("missing", "truncated", "bomb", "html", "duplicate", "utf8")


@dataclass
class Catalogue:
    """`photos` files are shared by `rows` good and broken rows, and by one more, which is the first."""

    shop: Shop
    rows: int
    crashes: int
    photos: int
    draw: random.Random
    lines: list[bytes] = field(default_factory=lambda: [row(COLUMNS)])
    rejects: set[Reject] = field(default_factory=set)

    @property
    def broken(self) -> int:
        return self.rows * 3 // 100

    def write(self) -> None:
        for number in range(self.photos):
            self.shop.draw(f"{number}.png", self.draw.choice(list(COLOURS)), mark=number)
        for kind, (_, content) in FILES.items():
            (self.shop.folder / f"{kind}.jpg").write_bytes(content)
        broken = [*["crash"] * self.crashes, *islice(cycle(KINDS), self.broken - self.crashes)]
        kinds = [*broken, *[""] * (self.rows - self.broken)]
        self.draw.shuffle(kinds)
        for kind in ["", *kinds]:
            self._add(kind)
        self.shop.file.write_bytes(b"".join(self.lines))

    def _add(self, kind: str) -> None:
        line = len(self.lines) + 1
        name = "p1" if kind == "duplicate" else f"p{line - 1}"
        photo = f"{line % self.photos}.png" if kind in {"", "duplicate", "utf8"} else f"{kind}.jpg"
        written = row((name, f"Thing {line}", "", "", "", "", photo))
        if kind in {"duplicate", "utf8"}:
            self.rejects.add((line, None, "broken_row"))
        elif kind:
            self.rejects.add((None, name, FILES[kind][0] if kind in FILES else "missing"))
        self.lines.append(written.replace(b"Thing", b"Th\xffng") if kind == "utf8" else written)


def row(cells: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("rows", "crashes", "photos"), extents((500, 1, 50), (10_000, 10, 10_000)))
def test_the_run_ends_well_names_exactly_the_broken_rows_and_stays_small(
    tmp_path: Path, rows: int, crashes: int, photos: int
) -> None:
    made = Catalogue(Shop.at(tmp_path, "edge"), rows, crashes, photos, seeded())
    made.write()
    with Forks("tests.faults.measured_build") as forks:
        forks.start(str(tmp_path))
        (line,) = forks.lines()
    told = json.loads(line)

    report, rejects = told["report"], told["rejects"]
    print(f"{told['grown'] / 2**20:.0f} MB beyond {told['before'] / 2**20:.0f} MB, {report['seconds']} s")
    assert report["state"] == "published"
    assert {(one["line"], one["product"], one["reason"]) for one in rejects} == made.rejects
    assert len(rejects) == len(made.rejects) == made.broken
    assert report["products"] == rows + 1 - report["rejected_rows"]
    assert told["grown"] < MEMORY

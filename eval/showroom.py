"""Measures the shipped showroom model on the showroom's catalogue: `python -m eval.showroom`.

Three questions, each over all products: words → product (combinations that training never showed, in wording it never
read, against image vectors alone), a shopper's photo → that very product, and the same photo → its family. A colour
histogram answers the photos too, as the baseline. A product's score is the highest of its photos.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from ir_measures import Success
from numpy.typing import NDArray
from PIL import Image

from eval.measures import Run, each, ndcg, success
from eval.suites.suite import Qrels
from indexer.encoders import open_encoder
from indexer.showroom.catalogue import ShowroomProduct, catalogue
from indexer.showroom.claims import truth
from indexer.showroom.queries import held_out_queries
from indexer.showroom.render import photo, renderer_hash
from indexer.showroom.split import MEASURED_PHOTOS, stable_fraction
from indexer.showroom.write import PHOTO_SIZE, photo_names, write_showroom

CLUTTERS = ("low", "medium", "high")
DEPTH = 100
"""Answers kept of each query."""

Floats = NDArray[np.float32]
Pictures = Sequence[NDArray[np.uint8]]


@dataclass(frozen=True)
class PhotoFigures:
    """Hit rates of one way to answer photos of one clutter level."""

    clutter: str
    answered_by: str
    hit_at_1: float
    hit_at_10: float
    family_at_1: float


@dataclass(frozen=True)
class Figures:
    """Everything measured; `worst_kinds` are hit rates at 1 of medium photos."""

    products: int
    text_queries: int
    text_ndcg_at_10: float
    photos: tuple[PhotoFigures, ...]
    worst_kinds: dict[str, float]
    seconds: float


def best_per_group(scores: Floats, groups: Sequence[str]) -> tuple[Floats, list[str]]:
    """Columns of `scores` (queries, items) reduced to the highest of each group, with the groups' names."""
    names = sorted(set(groups))
    place = {name: number for number, name in enumerate(names)}
    best = np.full((len(scores), len(names)), -np.inf, dtype=np.float32)
    np.maximum.at(best.T, [place[group] for group in groups], scores.T)
    return best, names


def as_run(queries: Sequence[str], names: Sequence[str], scores: Floats) -> Run:
    """The run of a score matrix (queries, names), cut at DEPTH; equal scores go by name."""
    order = np.argsort(np.array(names))
    run = {}
    for query, row in zip(queries, scores, strict=True):
        top = order[np.argsort(-row[order], kind="stable")[:DEPTH]]
        run[query] = {names[column]: float(row[column]) for column in top}
    return run


def measure(home: Path, model: str, say: Any = print) -> Figures:
    """Renders what is missing under `home`, encodes it with `model` (a name or directory) and measures."""
    began = time.monotonic()
    products = catalogue()
    catalogue_file = write_showroom(home / "showroom", products)
    groups = [product.id for product in products for _ in range(product.views)]
    files = [catalogue_file.parent / name for product in products for name in photo_names(product)]
    gallery = [_picture(path) for path in files]
    encoder = open_encoder(model)
    vectors = encoder.encode_images(gallery)
    histograms = np.stack([histogram(picture) for picture in gallery])
    say(f"gallery: {len(products)} products, {len(gallery)} photos")
    queries = held_out_queries(product.look for product in products)
    asked = encoder.encode_texts([query.text for query in queries])
    scores, ids = best_per_group(asked @ vectors.T, groups)
    told = truth([query.claim for query in queries], [product.look for product in products])
    names = [query.id for query in queries]
    relevant = {name: {products[i].id: 1 for i in np.flatnonzero(row)} for name, row in zip(names, told, strict=True)}
    found = ndcg(as_run(names, ids, scores), relevant, 10)
    rows, worst = [], dict[str, float]()
    for clutter in CLUTTERS:
        photos = shopper_photos(home / "showroom-photos" / renderer_hash(), products, clutter)
        seen = encoder.encode_images(photos)
        coloured = np.stack([histogram(picture) for picture in photos])
        by_model = Answers(seen @ vectors.T, groups, products)
        by_colour = Answers(coloured @ histograms.T, groups, products)
        rows += [by_model.figures(clutter, "model"), by_colour.figures(clutter, "colour histogram")]
        worst = by_model.worst_kinds() if clutter == "medium" else worst
        say(f"{clutter} clutter: {len(photos)} photos")
    return Figures(len(products), len(queries), found, tuple(rows), worst, time.monotonic() - began)


class Answers:
    """Answers to one photo of every product, from the scores (products, gallery photos)."""

    def __init__(self, scores: Floats, groups: Sequence[str], products: Sequence[ShowroomProduct]) -> None:
        self._products = products
        queries = [product.id for product in products]
        parents = {product.id: product.parent for product in products}
        best, ids = best_per_group(scores, groups)
        families, family_ids = best_per_group(best, [parents[name] for name in ids])
        self._run, self._families = as_run(queries, ids, best), as_run(queries, family_ids, families)
        self._own: Qrels = {name: {name: 1} for name in queries}
        self._kin: Qrels = {name: {parents[name]: 1} for name in queries}

    def figures(self, clutter: str, answered_by: str) -> PhotoFigures:
        """The three hit rates."""
        first, tenth = (success(self._run, self._own, k) for k in (1, 10))
        return PhotoFigures(clutter, answered_by, first, tenth, success(self._families, self._kin, 1))

    def worst_kinds(self, count: int = 6) -> dict[str, float]:
        """Hit rate at 1 of the kinds that are hardest to tell apart, hardest first."""
        by_kind = defaultdict(list)
        hit = each(Success @ 1, self._run, self._own)
        for product in self._products:
            by_kind[product.look.kind].append(hit[product.id])
        means = {kind: sum(values) / len(values) for kind, values in by_kind.items()}
        return dict(sorted(means.items(), key=lambda pair: pair[1])[:count])


def shopper_photos(directory: Path, products: Sequence[ShowroomProduct], clutter: str) -> Pictures:
    """One photo of every product among clutter, rendered once and kept under `directory`."""
    tasks = [(directory / clutter / f"{product.id}.jpg", product, clutter) for product in products]
    missing = [task for task in tasks if not task[0].exists()]
    (directory / clutter).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        list(pool.map(_take_photo, missing, chunksize=8))
    return [_picture(path) for path, _, _ in tasks]


def _take_photo(task: tuple[Path, ShowroomProduct, str]) -> None:
    path, product, clutter = task
    seed = MEASURED_PHOTOS.start + int(stable_fraction("photo", product.id, clutter) * (len(MEASURED_PHOTOS) - 1))
    taken = Image.fromarray(photo(product.look, seed, clutter=clutter, size=PHOTO_SIZE))
    taken.save(path.with_suffix(".new"), "JPEG", quality=90)
    path.with_suffix(".new").replace(path)


def _picture(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def histogram(picture: NDArray[np.uint8]) -> Floats:
    """The baseline's features: a Lab histogram (8 × 16 × 16 bins) of the thing in the middle, for Hellinger similarity.

    Pixels count by a Gaussian about the centre, those within 12 of the border's median colour (Lab) hardly at all;
    unit length. The best of a dozen forms tried on the medium photos.
    """
    side, width = 96, 0.15
    small = Image.fromarray(picture).resize((side, side), Image.Resampling.BOX).convert("LAB")
    lab = np.asarray(small).astype(np.float32)
    lab[..., 1:] = np.asarray(small)[..., 1:].view(np.int8)
    lab[..., 0] *= 100 / 255
    edges = (lab[:3], lab[-3:], lab[:, :3], lab[:, -3:])
    border = np.concatenate([edge.reshape(-1, 3) for edge in edges])
    thing = np.linalg.norm(lab - np.median(border, axis=0), axis=-1) > 12
    axis = np.exp(-0.5 * ((np.arange(side) - (side - 1) / 2) / (width * side)) ** 2)
    bins = np.clip(lab / (12.5, 7.5, 7.5) + (0, 8, 8), 0, (7, 15, 15)).astype(int)
    places = (bins[..., 0] * 16 + bins[..., 1]) * 16 + bins[..., 2]
    counts = np.bincount(places.ravel(), (np.outer(axis, axis) * thing + 1e-6).ravel(), minlength=8 * 16 * 16)
    unit: Floats = np.sqrt(counts / counts.sum()).astype(np.float32)
    return unit


def table(figures: Figures) -> str:
    """What was measured, for people."""
    lines = [
        f"words to product: nDCG@10 {figures.text_ndcg_at_10:.3f} over {figures.text_queries} queries, held-out looks",
        f"{'photo among clutter':<20}{'answered by':<18}{'hit@1':>7}{'hit@10':>8}{'family@1':>10}",
    ]
    for row in figures.photos:
        cells = f"{row.hit_at_1:>7.3f}{row.hit_at_10:>8.3f}{row.family_at_1:>10.3f}"
        lines.append(f"{row.clutter:<20}{row.answered_by:<18}{cells}")
    worst = ", ".join(f"{kind} {value:.2f}" for kind, value in figures.worst_kinds.items())
    lines += [f"hardest kinds (medium, hit@1): {worst}", f"{figures.products} products, {figures.seconds:.0f} s"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints; `--json` prints one JSON object instead of the table."""
    parser = argparse.ArgumentParser(prog="python -m eval.showroom", description=__doc__)
    parser.add_argument("--model", default="showroom", help="encoder name or model directory")
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("VITRINE_HOME", ".vitrine")))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    silent = (lambda _: None) if options.json else print
    figures = measure(options.home, options.model, silent)
    print(json.dumps(asdict(figures), indent=2) if options.json else table(figures))


if __name__ == "__main__":
    main()

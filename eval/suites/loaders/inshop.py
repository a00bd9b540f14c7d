"""DeepFashion In-shop Clothes Retrieval (Liu et al., CVPR 2016): other photos of the same garment."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from eval.suites.loaders.loaded import Choice, Loaded, half, query_of, suite_of
from eval.suites.loaders.reading import Row, find, lines
from eval.suites.suite import SuiteCard
from indexer.domain import ImageRef, Product

LAYOUT = """\
  Eval/list_eval_partition.txt   the number of images; image_name item_id evaluation_status; then a line per image
  Img/img/WOMEN/…, Img/img/MEN/… the photos of img.zip (or of img_highres.zip, unpacked as img)
"""
STATES = ("train", "query", "gallery")


class _Photo(NamedTuple):
    row: Row
    name: str
    item: str
    state: str


def load(path: Path, choice: Choice) -> Loaded:
    """The test half of the partition: query photos against the garments of the gallery."""
    partition = find(path, LAYOUT, "list_eval_partition.txt")
    root = find(path, LAYOUT, "img").parent
    gallery: dict[str, list[str]] = {}
    asked = list[_Photo]()
    for photo in _partition(partition):
        if photo.state == "gallery":
            gallery.setdefault(photo.item, []).append(photo.name)
        elif photo.state == "query":
            asked.append(photo)
    left_out = Counter[str]()
    kept = [photo for photo in asked if photo.item in gallery]
    if len(kept) < len(asked):
        left_out["query photos of a garment that the gallery does not have"] += len(asked) - len(kept)
    names = {f"{photo.item}-{photo.row.line}": photo for photo in kept}
    queries = [
        query_of(photo.row, id=name, photo=f"photos/{photo.name}", split=half(photo.item), tags=(_kind(photo.name),))
        for name, photo in names.items()
    ]
    suite = suite_of(_card(), queries, {name: {photo.item: 1} for name, photo in names.items()}, left_out)
    photos = {f"photos/{photo.name}": root / photo.name for photo in kept}
    return Loaded(suite, _products(gallery), root=root, photos=photos, left_out=left_out)


def _partition(path: Path) -> Iterator[_Photo]:
    """The first line is the number of images, the second the header."""
    for line, text in lines(path):
        cells = text.split()
        if line == 1 and len(cells) == 1 and cells[0].isdigit():
            continue
        if cells == ["image_name", "item_id", "evaluation_status"]:
            continue
        row = Row(path, line, {})
        if len(cells) != 3 or cells[2] not in STATES:
            raise row.refused(f"expected image_name item_id and one of {', '.join(STATES)}, got {text!r}")
        if not cells[0].startswith("img/") or ".." in PurePosixPath(cells[0]).parts:
            raise row.refused(f"image {cells[0]!r} is not below img/")
        yield _Photo(row, *cells)


def _products(gallery: Mapping[str, list[str]]) -> Iterator[Product]:
    for item, photos in gallery.items():
        category = _steps(photos[0])
        yield Product(
            id=item,
            title=" ".join(category) or "garment",
            category=category,
            images=tuple(map(ImageRef, photos)),
        )


def _steps(photo: str) -> tuple[str, ...]:
    """`img/WOMEN/Tees_Tanks/id_00000001/02_1_front.jpg` → Women, Tees Tanks."""
    return tuple(step.replace("_", " ").title() for step in PurePosixPath(photo).parts[1:-2])


def _kind(photo: str) -> str:
    return " ".join(_steps(photo)[:1]).casefold() or "garment"


def _card() -> SuiteCard:
    return SuiteCard(
        name="inshop",
        description="DeepFashion In-shop Clothes Retrieval: shop photos against other photos of the same garment.",
        licence="Non-commercial research and education only; the photos may not be passed on.",
        protocol=(
            "Query photos against gallery photos of Eval/list_eval_partition.txt; training photos are not used. A "
            "garment (item_id, all its colours) is a product and counts once, by its best photo, where the field ranks "
            "single photos: Success@1 is the field's R@1, from k = 2 on these figures are higher. What the field calls "
            "recall is a hit rate: Success@k. Queries are halved by a hash of the garment, to tune on one half and "
            "report on the other. The title is the garment's category: only photos tell garments apart."
        ),
        catalog="inshop",
        measures=("Success@1", "Success@10", "Success@20", "Success@30"),
    )

"""FashionIQ (Wu et al., CVPR 2021): a garment, what two people want changed, and the garment that was meant."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from eval.errors import SuiteError
from eval.suites.loaders.loaded import Choice, Loaded, half, query_of, suite_of
from eval.suites.loaders.reading import Row, entries, find
from eval.suites.suite import SuiteCard, SuiteQuery
from indexer.domain import ImageRef, Product

CATEGORIES = ("dress", "shirt", "toptee")
SUFFIXES = (".jpg", ".png", ".jpeg")
LAYOUT = """\
  captions/cap.{dress,shirt,toptee}.{train,val,test}.json        [{"target": …, "candidate": …, "captions": [a, b]}, …]
  image_splits/split.{dress,shirt,toptee}.{train,val,test}.json  [image name, …]
  images/NAME.jpg or NAME.png
"""
UNSEEN = "pairs whose reference or target has no photo on disk"
OUTSIDE = "pairs whose target is not in the gallery of its category"

Galleries = Mapping[str, Mapping[str, None]]
"""Category → the names of its gallery, in their order."""


def load(path: Path, choice: Choice) -> Loaded:
    """One split, val by default: the test split's targets were never all released."""
    split = (choice.splits or ("val",))[0]
    left_out = Counter[str]()
    photos = _photos(find(path, LAYOUT, "images"))
    galleries = {category: _gallery(path, category, split, photos, left_out) for category in CATEGORIES}
    queries, qrels = list[SuiteQuery](), dict[str, dict[str, int]]()
    for category in CATEGORIES:
        for row in _captions(path, category, split):
            reference, target = row.text("candidate"), row.text("target")
            if reference not in photos or target not in photos:
                left_out[UNSEEN] += 1
            elif target not in galleries[category]:
                left_out[OUTSIDE] += 1
            else:
                queries.append(_query(row, category, reference))
                qrels[queries[-1].id] = {target: 1}
    suite = suite_of(_card(split), queries, qrels, left_out)
    references = [query.like for query in suite.queries if query.like is not None]
    return Loaded(suite, _products(galleries, references, photos), root=find(path, LAYOUT, "images"), left_out=left_out)


def _photos(folder: Path) -> dict[str, str]:
    """Image name → file name."""
    found = {file.stem: file.name for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES}
    if not found:
        raise SuiteError(f"{folder} holds no photos; expected this layout:\n{LAYOUT.rstrip()}")
    return found


def _gallery(
    path: Path, category: str, split: str, photos: Mapping[str, str], left_out: Counter[str]
) -> dict[str, None]:
    file = find(path, LAYOUT, f"image_splits/split.{category}.{split}.json")
    names = [Row(file, number, {"name": entry}).text("name") for number, entry in enumerate(entries(file), start=1)]
    there = {name: None for name in names if name in photos}
    if len(there) < len(set(names)):
        left_out["images of a gallery without a photo on disk"] += len(set(names)) - len(there)
    return there


def _captions(path: Path, category: str, split: str) -> Iterator[Row]:
    file = find(path, LAYOUT, f"captions/cap.{category}.{split}.json")
    for number, entry in enumerate(entries(file), start=1):
        if not isinstance(entry, dict):
            raise Row(file, number, {}).refused("an object with target, candidate and captions is expected")
        yield Row(file, number, entry)


def _query(row: Row, category: str, reference: str) -> SuiteQuery:
    captions = row.cells.get("captions")
    if not isinstance(captions, list) or not captions:
        raise row.refused("captions is no list of sentences")
    spoken = [Row(row.path, row.line, {"captions": caption}).text("captions") for caption in captions]
    return query_of(
        row,
        id=f"{category}-{row.line}",
        like=reference,
        change=" and ".join(spoken),
        where=(f"category={category}",),
        split=half(reference),
        tags=(category,),
        exclude=(reference,),
    )


def _products(galleries: Galleries, references: list[str], photos: Mapping[str, str]) -> Iterator[Product]:
    """A garment of two galleries has both as steps of its category, so that either filter finds it.

    A reference from outside the galleries has no category: it can be started from and is in no answer.
    """
    names = dict.fromkeys([*(name for gallery in galleries.values() for name in gallery), *references])
    for name in names:
        categories = tuple(category for category, gallery in galleries.items() if name in gallery)
        title = " ".join(categories) or "garment"
        yield Product(id=name, title=title, category=categories, images=(ImageRef(photos[name]),))


def _card(split: str) -> SuiteCard:
    return SuiteCard(
        name=f"fashioniq-{split}",
        description=f"FashionIQ, {split} split: a reference garment and two sentences of what should be different.",
        licence="Community Data License Agreement (CDLA) for captions and splits; photos belong to their shops.",
        protocol=(
            f"Gallery of a query: the images of its category in image_splits/split.CATEGORY.{split}.json (the original "
            "split). The two captions are joined by ' and '. The reference is excluded from the answer. What the field "
            "calls R@10 and R@50 is a hit rate, one target per query: Success@10 and Success@50, per category (the "
            "tags) and averaged over the three categories, not over queries. Pairs without their photos are left out, "
            "as many photos are no longer online: compare with published figures only when none was. Queries are "
            "halved by a hash of the reference, to tune on one half and report on the other."
        ),
        catalog=f"fashioniq-{split}",
        measures=("Success@10", "Success@50", "Success@1"),
    )

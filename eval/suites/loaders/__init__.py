"""Loaders of public data sets, each in the layout in which it is downloaded; nothing is downloaded here.

A loader is a function of a folder and a choice; what it gives, `importing` writes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eval.errors import SuiteError
from eval.suites.loaders import abo, beir, esci, fashioniq, inshop, sqid, wands
from eval.suites.loaders.loaded import Choice, Loaded


@dataclass(frozen=True)
class Loader:
    """`splits` are the data set's own names; `several` may be imported together. One variant of each group counts."""

    load: Callable[[Path, Choice], Loaded]
    layout: str
    splits: tuple[str, ...] = ()
    several: bool = False
    variants: tuple[tuple[str, ...], ...] = ()


LOADERS = {
    "abo": Loader(abo.load, abo.LAYOUT),
    "beir": Loader(beir.load, beir.LAYOUT, beir.SPLITS, several=True),
    "esci": Loader(
        esci.load,
        esci.LAYOUT,
        ("test", "train"),
        several=True,
        variants=(esci.LOCALES, esci.VERSIONS, (esci.PAPER, esci.SCRIPT)),
    ),
    "fashioniq": Loader(fashioniq.load, fashioniq.LAYOUT, ("val", "train", "test")),
    "inshop": Loader(inshop.load, inshop.LAYOUT),
    "sqid": Loader(sqid.load, sqid.LAYOUT, ("test",), variants=((esci.PAPER, esci.SCRIPT),)),
    "wands": Loader(wands.load, wands.LAYOUT),
}
"""By the name that `vitrine eval import` knows them under."""


def load(name: str, path: Path, splits: tuple[str, ...] = (), variants: tuple[str, ...] = ()) -> Loaded:
    """Raises SuiteError for an unknown format, split or variant, and what the loader finds wrong."""
    loader = LOADERS.get(name)
    if loader is None:
        raise SuiteError(f"No format {name!r}; there are {', '.join(LOADERS)}.")
    for split in splits:
        if split not in loader.splits:
            raise SuiteError(f"{name} has no split {split!r}; {_choices('it has', loader.splits)}.")
    if len(splits) > 1 and not loader.several:
        raise SuiteError(f"{name}: one split at a time, as each has a gallery of its own.")
    for variant in variants:
        if not any(variant in group for group in loader.variants):
            known = tuple(one for group in loader.variants for one in group)
            raise SuiteError(f"{name} has no variant {variant!r}; {_choices('it has', known)}.")
    for group in loader.variants:
        chosen = [variant for variant in variants if variant in group]
        if len(chosen) > 1:
            raise SuiteError(f"{name}: {' and '.join(chosen)} exclude each other.")
    return loader.load(path, Choice(splits, variants))


def _choices(said: str, names: tuple[str, ...]) -> str:
    return f"{said} {', '.join(names)}" if names else "it has none"

"""Writes what a loader gives: a suite with its catalogue, photos and vectors, and says what to do next."""

import errno
import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from eval.errors import SuiteError
from eval.suites.files import write_suite
from eval.suites.loaders.catalogue import CATALOGUE, writing
from eval.suites.loaders.loaded import Loaded
from eval.suites.loaders.vectors import VECTORS, write_vectors
from eval.suites.suite import Suite


@dataclass(frozen=True)
class Imported:
    """`left_out` says what of the data set is not in the suite, and how often; `commands` are the next ones."""

    suite: Suite
    products: int
    left_out: Mapping[str, int]
    commands: tuple[str, ...]

    def as_row(self) -> dict[str, object]:
        card = self.suite.card
        return {
            "suite": card.name,
            "directory": str(self.suite.directory),
            "licence": card.licence,
            "protocol": card.protocol,
            "products": self.products,
            "queries": len(self.suite.queries),
            "judgements": sum(map(len, self.suite.qrels.values())),
            "left_out": dict(self.left_out),
            "next": list(self.commands),
        }

    def sentences(self) -> list[str]:
        """What a person should read, one line each; the last ones are the next commands."""
        card = self.suite.card
        what = f"{self.products:,} products, {len(self.suite.queries):,} queries"
        return [
            f"{card.name}: {what} in {self.suite.directory}",
            *(f"left out: {count:,} {why}" for why, count in self.left_out.items()),
            f"licence: {card.licence}",
            f"protocol: {card.protocol}",
            "next:",
            *(f"  {command}" for command in self.commands),
        ]


def import_suite(loaded: Loaded, out: Path, source: str) -> Imported:
    """`source` is how the suite came to be. Products are streamed; memory holds their ids.

    Raises SuiteError when the judgements name products that the data set lacks, when a photo is missing, and for a
    directory that holds something else already: a download has a queries.jsonl too.
    """
    if out.exists() and not _may_be_written(out):
        raise SuiteError(f"{out} holds something that is no imported suite; name a new directory with --out.")
    out.mkdir(parents=True, exist_ok=True)
    with writing(out / CATALOGUE) as writer:
        writer.add(loaded.products)
        _check(loaded.suite, writer.rows)
    if loaded.vectors is not None:
        pictured, described = write_vectors(out / VECTORS, loaded.vectors, writer.rows)
        for what, lacking in (("photo", len(writer.rows) - pictured), ("title", len(writer.rows) - described)):
            if lacking:
                loaded.left_out[f"products without a vector of their {what}, kept"] += lacking
    for name, file in loaded.photos.items():
        _link(file, out / name)
    suite = _finished(loaded, writer.rows, out, source)
    write_suite(suite, out)
    return Imported(suite, len(writer.rows), loaded.left_out, _commands(loaded, suite))


def _may_be_written(out: Path) -> bool:
    return out.is_dir() and ((out / CATALOGUE).is_file() or not any(out.iterdir()))


def _check(suite: Suite, rows: Mapping[str, int]) -> None:
    if not rows:
        raise SuiteError(f"{suite.card.name}: the data set holds no products.")
    for query in suite.queries:
        unknown = [product for product in suite.qrels[query.id] if product not in rows]
        if unknown:
            every = {product for grades in suite.qrels.values() for product in grades if product not in rows}
            raise SuiteError(
                f"{suite.card.name}: query {query.id} is judged on product {unknown[0]}, which the data set does not "
                f"have ({len(every)} such products)."
            )
        if query.like is not None and query.like not in rows:
            raise SuiteError(f"{suite.card.name}: query {query.id} is like {query.like}, which is no product.")


def _finished(loaded: Loaded, rows: Mapping[str, int], out: Path, source: str) -> Suite:
    """The suite as it is kept; products that are excluded without being there are not mentioned."""
    queries = tuple(
        query.model_copy(update={"exclude": tuple(product for product in query.exclude if product in rows)})
        for query in loaded.suite.queries
    )
    card = loaded.suite.card.model_copy(update={"catalogue": CATALOGUE, "source": source})
    return replace(loaded.suite, card=card, queries=queries, directory=out)


def _link(file: Path, place: Path) -> None:
    """A hard link where the file system allows it, else a copy."""
    if ".." in place.parts:
        raise SuiteError(f"{place}: the data set names a photo outside its folder.")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    try:
        os.link(file, place)
    except FileNotFoundError:
        raise SuiteError(f"{file} is missing, a query asks with it; unpack the data set's photos.") from None
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise SuiteError(f"{file} cannot be linked to {place}: {error.strerror}.") from error
        shutil.copyfile(file, place)


def _commands(loaded: Loaded, suite: Suite) -> tuple[str, ...]:
    """Suites with vectors need no build."""
    run = f"vitrine eval run {shlex.quote(str(suite.directory))}"
    if loaded.vectors is not None:
        return (run,)
    build = ["vitrine", "build", str(suite.directory / CATALOGUE), "--name", suite.card.catalog]
    build += ["--root", str(loaded.root)] if loaded.root is not None else []
    build += ["--language", loaded.language] if loaded.language != "en" else []
    return shlex.join(build), run

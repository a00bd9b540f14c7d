"""Work for the bench: asking a build a suite's queries, and making suites of a catalogue."""

from contextlib import suppress
from datetime import UTC, datetime
from errno import EEXIST, ENOTDIR, ENOTEMPTY
from pathlib import Path
from shutil import rmtree
from typing import Annotated, Literal

from pydantic import BaseModel, Field, field_validator

from eval.bootstrap import leased_bench
from eval.errors import EvaluationError, SuiteError
from eval.runs.document import write_run
from eval.runs.runner import Watch, run_suite
from eval.runs.settings import changed
from eval.suites.making.make import MadeKind, Recipe, make_suites
from eval.web.archive import new_run_path, run_key, slug, suite_named, suites_folder
from eval.web.reporting import Reports
from indexer.builds.live import published_build
from service.shop import Shop
from service.working import Work

TAKEN = "There are suites {name} already; name these differently."
VERIFY = {"settings": None, "always": True, "never": False}


class RunWish(BaseModel):
    """What the form says of a run."""

    suite: Annotated[str, Field(max_length=100)] = ""
    build: Annotated[str, Field(max_length=100)] = ""
    """'' is the published one of the suite's catalog."""
    name: Annotated[str, Field(max_length=100)] = ""
    depth: Annotated[int, Field(ge=1, le=1_000)] = 100
    verify: Literal["settings", "always", "never"] = "settings"
    settings: Annotated[str, Field(max_length=10_000)] = ""
    """A NAME=VALUE on each line."""

    @field_validator("depth", mode="before")
    @classmethod
    def _usual(cls, given: object) -> object:
        return given or 100


class SuitesWish(BaseModel):
    """What the form says of suites to be made."""

    catalog: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=60)] = ""
    kinds: list[MadeKind] = []
    queries: Annotated[int, Field(ge=1, le=5_000)] = 200
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0


def run_work(wish: RunWish, shop: Shop, reports: Reports) -> tuple[str, Work]:
    """The name of the run, and what makes it. Raises UnknownSuite, SuiteError, SettingsError."""
    suite = suite_named(shop.settings, wish.suite)
    lines = [line.strip() for line in wish.settings.splitlines() if line.strip()]
    search = changed(shop.settings.search, [line.removeprefix("--set").strip() for line in lines])
    name, verify = wish.name.strip() or suite.card.name, VERIFY[wish.verify]

    def work(watch: Watch) -> str:
        opening = leased_bench(suite, shop, build=wish.build or None, verify=verify is not False)
        with opening as bench:
            document = run_suite(suite, bench, search, name=name, depth=wish.depth, verify=verify, watch=watch)
        path = new_run_path(shop.settings, name, datetime.now(UTC))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_run(document, path)
        with suppress(EvaluationError):  # the run's own page says what
            reports.of(run_key(path))
        return f"/bench/runs/{run_key(path)}"

    return name, work


def suites_work(wish: SuitesWish, shop: Shop) -> tuple[str, Work]:
    """The name of the folder of suites, and what makes them. Raises SuiteError, UnknownCatalog, NothingPublished."""
    catalog, _ = published_build(shop.database, wish.catalog or shop.settings.catalog)
    name = slug(wish.name or catalog)
    folder = suites_folder(shop.settings) / name
    if folder.exists():
        raise SuiteError(TAKEN.format(name=name))
    kinds = tuple(kind for kind in MadeKind if kind in wish.kinds) or tuple(MadeKind)
    recipe = Recipe(catalog=catalog, kinds=kinds, queries=wish.queries, seed=wish.seed)

    def work(watch: Watch) -> str:
        making = shop.settings.home / "eval" / "making"  # where nothing half made is taken for a suite
        rmtree(making, ignore_errors=True)  # of a process that was killed
        try:
            make_suites(recipe, making / name, shop.database, shop.decoders, watch)
            folder.parent.mkdir(parents=True, exist_ok=True)
            _moved(making / name, folder)
        finally:
            rmtree(making, ignore_errors=True)
        return "/bench/suites"

    return name, work


def _moved(made: Path, folder: Path) -> None:
    """Raises SuiteError where somebody made suites of that name meanwhile."""
    try:
        made.rename(folder)
    except OSError as error:
        if error.errno not in (EEXIST, ENOTEMPTY, ENOTDIR):
            raise
        raise SuiteError(TAKEN.format(name=folder.name)) from None

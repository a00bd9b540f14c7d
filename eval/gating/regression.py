"""Suites asked to a new build and to the one it would replace."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from eval.errors import MeasureError
from eval.gating.findings import Findings, listed, together
from eval.gating.sides import Access, Side, candidate_side, open_published_side
from eval.gating.suites import check_canaries, check_floor, compare, overlap, relevant_products
from eval.measures import Run
from eval.suites.files import read_suite
from eval.suites.suite import Suite
from indexer.builds.gates import Candidate
from indexer.errors import EncoderMismatch, InputError, StoreMismatch
from indexer.images.decoders import DecoderPool
from service.shop import CatalogProducts


@dataclass(frozen=True)
class Asked:
    """A suite with the new build's answers, and the right answers that the catalogue does not have."""

    suite: Suite
    run: Run
    gone: Sequence[str]

    def notices(self) -> Findings:
        if not self.gone:
            return Findings()
        told = (
            f"Suite {self.suite.card.name} wants {len(self.gone):,} products that catalog {self.suite.card.catalog} "
            f"does not have: {listed(self.gone)}; they count as not found."
        )
        return Findings(notices=[told])


def check_suites(candidate: Candidate, access: Access) -> Findings:
    """Canaries and a floor for the new build, then what it loses and changes against the published one.

    Raises SuiteError for a suite that cannot be read, StoreOwned, ConflictError, UnavailableError.
    """
    settings = candidate.settings.gate
    with DecoderPool.of(candidate.settings.images) as decoders:
        side = candidate_side(candidate, decoders)
        canaries, found = _ask([] if settings.canaries is None else [settings.canaries], side, candidate)
        suites, others = _ask(settings.suites, side, candidate)
        found += others
        for one in canaries:
            found += [one.notices(), check_canaries(one.suite, one.run, one.gone)]
        for one in suites:
            floor = partial(check_floor, one.suite, one.run, _measure(one.suite, candidate), settings.minimum)
            found += [one.notices(), _measured(one.suite, floor)]
        return together([*found, _against_published(suites, candidate, access, decoders)])


def _ask(paths: Sequence[Path], side: Side, candidate: Candidate) -> tuple[list[Asked], list[Findings]]:
    """Every suite of the build's own catalog; of the others, that they were left out."""
    asked: list[Asked] = []
    left_out: list[Findings] = []
    for path in paths:
        suite, catalog = read_suite(path), candidate.manifest.catalog
        if suite.card.catalog == catalog:
            asked.append(Asked(suite, side.run(suite), _gone(suite, candidate)))
        else:
            told = f"Suite {suite.card.name} is about catalog {suite.card.catalog}, not {catalog}, and was not asked."
            left_out.append(Findings(notices=[told]))
    return asked, left_out


def _gone(suite: Suite, candidate: Candidate) -> list[str]:
    wanted = relevant_products(suite)
    known = CatalogProducts(candidate.database).get_many(candidate.manifest, wanted)
    return [product for product in wanted if product not in known]


def _against_published(asked: Sequence[Asked], candidate: Candidate, access: Access, decoders: DecoderPool) -> Findings:
    """A published build that can never be asked again is told and holds nothing up; one that is busy refuses."""
    build = candidate.published
    if build is None or not asked:
        return Findings()
    with ExitStack() as stack:
        try:
            side = stack.enter_context(open_published_side(candidate, build, access, decoders))
        except (StoreMismatch, EncoderMismatch, InputError) as error:
            return Findings(notices=[f"Nothing was compared with build {build}, which cannot be asked: {error}"])
        before = [side.run(one.suite) for one in asked]
    return together(_compared(one, run, candidate) for one, run in zip(asked, before, strict=True))


def _compared(one: Asked, before: Run, candidate: Candidate) -> Findings:
    measure, tolerance = _measure(one.suite, candidate), candidate.settings.gate.tolerance
    loss = _measured(one.suite, partial(compare, one.suite, before, one.run, measure, tolerance))
    return together([loss, overlap(one.suite, before, one.run)])


def _measure(suite: Suite, candidate: Candidate) -> str:
    return candidate.settings.gate.measure or suite.card.measures[0]


def _measured(suite: Suite, check: Callable[[], Findings]) -> Findings:
    """Answers that cannot be measured, such as none at all, refuse."""
    try:
        return check()
    except MeasureError as error:
        return Findings([f"Suite {suite.card.name} cannot be measured: {error}"])

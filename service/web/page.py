"""Answers as one self-contained HTML page: pictures inside, no script, no request to anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from indexer.bootstrap import open_catalogue
from indexer.domain import Channel
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from indexer.stores.pointer import write_atomically
from service.request import SearchRequest
from service.rerank.verdicts import Mark
from service.search.answer import Answer, ChannelScore, Result
from service.search.drawing import Picture
from service.web.pictures import Pictures

TITLES = {
    "text": "By words",
    "photo": "By photo",
    "photos": "By photos",
    "edit": "Like this, but different",
    "similar": "More like this",
}
VERDICTS = {True: ("yes", "✓"), False: ("no", "✗"), None: ("unknown", "?")}
_CLASSES = {Mark.YES: "yes", Mark.PARTLY: "unknown", Mark.NO: "no", Mark.UNKNOWN: "unknown"}


@dataclass(frozen=True)
class Shown:
    """One search to show: what was asked, with which photo, the answer, and what was drawn for it."""

    request: SearchRequest
    photo: bytes | None
    answer: Answer
    drawn: bytes | None = None
    """The file of the first of the pictures that were generated."""


@dataclass(frozen=True)
class Check:
    verdict: str
    label: str


@dataclass(frozen=True)
class Bar:
    """A channel's share of the best calibrated score on the page; `value` is in [0, 1], None without a score."""

    name: str
    value: float | None
    text: str


@dataclass(frozen=True)
class Card:
    rank: int
    title: str
    price: str
    also: str
    """What there is of it besides."""
    picture: str | None
    checks: Sequence[Check]
    channels: Sequence[Bar]


@dataclass(frozen=True)
class Section:
    kind: str
    words: str
    note: str
    chips: Sequence[str]
    """What the words were understood as."""
    far: bool
    """Nothing of what was found is close."""
    picture: str | None
    drawn: str | None
    """The picture that was generated of what is wanted."""
    drawn_by: str
    cards: Sequence[Card]


def write_page(path: Path, settings: Settings, searches: Sequence[Shown], title: str = "What Vitrine found") -> None:
    """Raises OSError when the file cannot be written, CatalogueUnavailable."""
    database = open_catalogue(settings)
    with DecoderPool.of(settings.images) as decoders:
        pictures = Pictures(database, decoders)
        sections = [_section(one, pictures) for one in searches]
    builds = ", ".join(sorted({f"{one.answer.catalog} ({one.answer.build})" for one in searches}))
    environment = Environment(loader=PackageLoader("service.web"), autoescape=select_autoescape())
    html = environment.get_template("answers.html").render(
        title=title,
        subtitle="Every bar is what one channel says of a product: how well its photo, its text, its words answer.",
        sections=sections,
        colophon=f"Made by Vitrine from {builds}.",
    )
    write_atomically(path, html.encode())


def _section(one: Shown, pictures: Pictures) -> Section:
    answer = one.answer
    weights = ", ".join(f"{channel} {weight:.2f}" for channel, weight in answer.weights.items())
    spent = sum(answer.timings_ms.values())
    return Section(
        kind=TITLES[answer.kind],
        words=one.request.change or one.request.text or ("This product" if one.request.like else "This photo"),
        note=" · ".join([*one.request.where, f"weights {weights}", f"{spent:.0f} ms"]),
        chips=[chip.label for chip in answer.chips],
        far=answer.nothing_close is not None,
        picture=_question(one, pictures),
        drawn=None if one.drawn is None else pictures.of_photo(one.drawn),
        drawn_by=_told_of(answer.generated[0]) if answer.generated else "",
        cards=[_card(result, answer, pictures) for result in answer.results],
    )


def _question(one: Shown, pictures: Pictures) -> str | None:
    if one.photo is not None:
        return pictures.of_photo(one.photo)
    return None if one.request.like is None else pictures.of_product(one.answer.build, one.request.like)


def _told_of(picture: Picture) -> str:
    """Who drew it, and whether it was searched by."""
    recipe = picture.provenance.recipe
    by = f"generated: {recipe.generator}" + (f" · {recipe.pipeline}" if recipe.generator == "diffusion" else "")
    return by if picture.scores.fit else f"{by} · not searched by: {picture.scores.why}"


def _card(result: Result, answer: Answer, pictures: Pictures) -> Card:
    return Card(
        rank=result.rank,
        title=result.title,
        price="" if result.price is None else f"{result.price:,.2f} {result.currency or ''}".strip(),
        also="" if result.variants is None else result.variants.label,
        picture=None if result.image is None else pictures.of_image(answer.catalog, result.image.uri),
        checks=_checks(result),
        channels=[_bar(channel, result.channels[channel], answer) for channel in answer.weights],
    )


def _checks(result: Result) -> list[Check]:
    """What verification said of it, else what the shop's own words say."""
    if result.verdict is not None:
        return [Check(_CLASSES[one.mark], one.label) for one in result.verdict.checks if one.telling]
    return [Check(VERDICTS[held][0], f"{VERDICTS[held][1]} {field}") for field, held in result.checks.items()]


def _bar(channel: Channel, score: ChannelScore, answer: Answer) -> Bar:
    if score.raw is None or score.calibrated is None:
        return Bar(channel.value, None, "–")
    others = (one.channels[channel].calibrated for one in answer.results)
    best = max((one for one in others if one is not None), default=0.0)
    value = min(max(score.calibrated / best, 0.0), 1.0) if best > 0 else 0.0
    return Bar(channel.value, round(value, 3), f"{score.raw:.2f}")

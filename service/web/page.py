"""Answers as one self-contained HTML page: pictures inside, no script, no request to anywhere."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape
from PIL import Image

from indexer.bootstrap import open_catalogue
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.domain import Channel, ImageRef, Pixels
from indexer.errors import FetchFailed, ImageRejected
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.settings import Settings
from indexer.stores.pointer import write_atomically
from service.request import SearchRequest
from service.search.answer import Answer, ChannelScore, Result

THUMBNAIL = Fit((240, 240), "longest", "bicubic", (255, 255, 255))
QUALITY = 85
TITLES = {"text": "By words", "photo": "By photo", "edit": "Like this, but different", "similar": "More like this"}
VERDICTS = {True: ("yes", "✓"), False: ("no", "✗"), None: ("unknown", "?")}


@dataclass(frozen=True)
class Shown:
    """One search to show: what was asked, with which photo, and the answer."""

    request: SearchRequest
    photo: bytes | None
    answer: Answer


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
    picture: str | None
    checks: Sequence[Check]
    channels: Sequence[Bar]


@dataclass(frozen=True)
class Section:
    kind: str
    words: str
    note: str
    picture: str | None
    cards: Sequence[Card]


def write_page(path: Path, settings: Settings, searches: Sequence[Shown], title: str = "What Vitrine found") -> None:
    """Raises OSError when the file cannot be written, CatalogueUnavailable."""
    database = open_catalogue(settings)
    with DecoderPool.of(settings.images) as decoders:
        pictures = _Pictures(database, decoders)
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


class _Pictures:
    """Thumbnails as data URIs; photos are decoded in children, as everywhere."""

    def __init__(self, database: Database, decoders: DecoderPool) -> None:
        self._database = database
        self._decoders = decoders

    def of_result(self, catalog: str, result: Result) -> str | None:
        return None if result.image is None else self._thumbnail(ImageRef(result.image.uri), self._root(catalog))

    def of_question(self, one: Shown) -> str | None:
        if one.photo is not None:
            return self._thumbnail(one.photo, None)
        if one.request.like is None:
            return None
        with self._database.session() as session:
            images = ProductRepository(session).get(one.answer.catalog, one.request.like).images
        return self._thumbnail(images[0], self._root(one.answer.catalog)) if images else None

    def _root(self, catalog: str) -> Path:
        with self._database.session() as session:
            return Path(CatalogRepository(session).get(catalog).root)

    def _thumbnail(self, source: ImageRef | bytes, root: Path | None) -> str | None:
        """None for a photo that has gone, cannot be fetched or no longer passes the gate."""
        try:
            return _data_uri(self._decoders.decode(DecodeTask(source, THUMBNAIL, root)).pixels)
        except (ImageRejected, FetchFailed):
            return None


def _section(one: Shown, pictures: _Pictures) -> Section:
    answer = one.answer
    weights = ", ".join(f"{channel} {weight:.2f}" for channel, weight in answer.weights.items())
    spent = sum(answer.timings_ms.values())
    return Section(
        kind=TITLES[answer.kind],
        words=one.request.change or one.request.text or ("This product" if one.request.like else "This photo"),
        note=" · ".join([*one.request.where, f"weights {weights}", f"{spent:.0f} ms"]),
        picture=pictures.of_question(one),
        cards=[_card(result, answer, pictures) for result in answer.results],
    )


def _card(result: Result, answer: Answer, pictures: _Pictures) -> Card:
    return Card(
        rank=result.rank,
        title=result.title,
        price="" if result.price is None else f"{result.price:,.2f} {result.currency or ''}".strip(),
        picture=pictures.of_result(answer.catalog, result),
        checks=[Check(VERDICTS[held][0], f"{VERDICTS[held][1]} {field}") for field, held in result.checks.items()],
        channels=[_bar(channel, result.channels[channel], answer) for channel in answer.weights],
    )


def _bar(channel: Channel, score: ChannelScore, answer: Answer) -> Bar:
    if score.raw is None or score.calibrated is None:
        return Bar(channel.value, None, "–")
    others = (one.channels[channel].calibrated for one in answer.results)
    best = max((one for one in others if one is not None), default=0.0)
    value = min(max(score.calibrated / best, 0.0), 1.0) if best > 0 else 0.0
    return Bar(channel.value, round(value, 3), f"{score.raw:.2f}")


def _data_uri(pixels: Pixels) -> str:
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "WEBP", quality=QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(encoded.getvalue()).decode()}"

"""What is said to be out of the catalogue."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import BuildManifest, Channel, Closeness, EncoderIdentity, Hit, QueryKind
from indexer.stores.lexical import Lexicon
from service.search.emptiness import Emptiness, nothing_close, unknown_share
from service.search.fusion import Fused

LEXICON = Lexicon.of(
    [f"{colour} {thing} MUG-0{at}" for at, colour in enumerate(("red", "blue")) for thing in ("mug", "lamp")]
)
MANIFEST = BuildManifest(
    build="b",
    catalog="shop",
    generation=1,
    created=datetime(2026, 1, 1, tzinfo=UTC),
    encoder=EncoderIdentity(name="fake", fingerprint="f", dim=2),
    precision="fp32",
    language="english",
    products=4,
    images=4,
    rejected=0,
    points=4,
    fields={},
    vocabulary={},
    spreads={},
    fill={},
    libraries={},
    closeness={
        QueryKind.TEXT: Closeness(least={Channel.TEXT: 0.7, Channel.IMAGE: 0.3}),
        QueryKind.PHOTO: Closeness(least={Channel.IMAGE: 0.8}),
    },
)


def answer(raw: Mapping[Channel, float], image: str = "front") -> Fused:
    return Fused(Hit(uuid4(), "mug", image, 0.0), 0.0, raw, {}, {})


FAR = answer({Channel.TEXT: 0.5, Channel.IMAGE: 0.25})
CLOSE = answer({Channel.TEXT: 0.75, Channel.IMAGE: 0.35})


def asked(words: str, *fused: Fused, kind: QueryKind = QueryKind.TEXT) -> Emptiness | None:
    return nothing_close(kind, fused, words, MANIFEST, LEXICON)


def test_an_unknown_thing_that_no_text_is_close_to() -> None:
    found = asked("accordion", FAR)
    assert found == Emptiness(channel=Channel.TEXT, best=0.5, needed=0.7, unknown=1.0)


def test_an_unknown_thing_that_no_photo_is_close_to() -> None:
    found = asked("accordion", answer({Channel.TEXT: 0.9, Channel.IMAGE: 0.25}))
    assert found is not None
    assert found.channel is Channel.IMAGE


@pytest.mark.parametrize("words", ["mug", "red mugs", "MUG-00", "mug-01", "crimson lamp", "the"])
def test_words_that_products_mention_colours_and_codes_are_never_out_of_the_catalogue(words: str) -> None:
    assert asked(words, FAR) is None


def test_a_synonym_that_the_catalogue_never_wrote_is_told_by_closeness() -> None:
    assert asked("beaker", FAR, CLOSE) is None


def test_texts_are_not_asked_about_what_they_know_in_part() -> None:
    half_known = "accordion lamp"
    assert 1 / 3 < unknown_share(half_known, LEXICON) < 0.9
    assert asked(half_known, answer({Channel.TEXT: 0.5, Channel.IMAGE: 0.35})) is None
    assert asked(half_known, answer({Channel.TEXT: 0.9, Channel.IMAGE: 0.25}))


def test_a_colour_makes_an_unknown_thing_no_better_known() -> None:
    assert asked("red accordion", FAR) == asked("accordion", FAR)


def test_a_photo_that_no_photo_is_close_to() -> None:
    found = asked("", answer({Channel.IMAGE: 0.75}), kind=QueryKind.PHOTO)
    assert found == Emptiness(channel=Channel.IMAGE, best=0.75, needed=0.8)
    assert asked("", answer({Channel.IMAGE: 0.85}), kind=QueryKind.PHOTO) is None


def test_the_mean_photo_of_a_product_without_photos_does_not_count() -> None:
    assert asked("", answer({Channel.IMAGE: 0.9}, image=""), answer({Channel.IMAGE: 0.5}), kind=QueryKind.PHOTO)


def test_a_channel_that_took_no_part_says_nothing() -> None:
    assert asked("accordion", answer({Channel.LEXICAL: 0.0})) is None
    assert asked("accordion") is None


def test_a_kind_or_build_without_a_measure_says_nothing() -> None:
    assert asked("accordion", FAR, kind=QueryKind.EDIT) is None
    older = MANIFEST.model_copy(update={"closeness": {}})
    assert nothing_close(QueryKind.TEXT, [FAR], "accordion", older, LEXICON) is None


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_the_unknown_share_is_a_share(words: str) -> None:
    assert 0 <= unknown_share(words, LEXICON) <= 1


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["red", "mug", "lamp", "navy blue", "the"]), min_size=1).map(" ".join))
def test_nothing_of_the_catalogues_own_words_is_unknown(words: str) -> None:
    assert unknown_share(words, LEXICON) == 0

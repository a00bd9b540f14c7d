"""The witness that needs no key: the shop's own word first, then the encoder and the palette."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import AttributeValue, BuildManifest, Matrix, PayloadValue, Product, QueryKind, Tagging, Vector
from service.rerank.seam import Candidate, Case, Reranker
from service.rerank.verdicts import PHOTO, UNTOLD, WORDS, Constraint, Judgement, Mark, Opinion, Way
from service.rerank.zero_shot import ZeroShot
from tests.deadlines import late
from tests.fakes import FakeEncoder
from tests.service.search.understanding.shop import manifest

ENCODER = FakeEncoder()
COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("red",),
    "blue": ("blue",),
    "light blue": ("azure",),
    "green": ("green",),
}
PATTERNS: dict[str, tuple[str, ...]] = {"striped": ("striped", "stripes"), "plain": ("plain",)}


def guessing(scale: float = 100.0, **used: bool) -> BuildManifest:
    """Of a build that guesses colours and patterns, as far as they are used."""
    values: Mapping[str, dict[str, tuple[str, ...]]] = {"colour": COLOURS, "pattern": PATTERNS}
    tagging = {field: Tagging(values=said, threshold=0.6, used=used.get(field, True)) for field, said in values.items()}
    return manifest().model_copy(update={"tagging": tagging, "scale": scale})


GUESSING = guessing()


def shop_item(
    given: Mapping[str, AttributeValue] | None = None,
    *,
    shows: str | Vector | None = None,
    palette: Sequence[str] = (),
    brand: str | None = None,
    category: tuple[str, ...] = (),
    title: str = "Mug",
) -> Candidate:
    """`shows` is a photo's vector, or the word that a photo is near to."""
    product = Product("p", title, attributes=given or {}, brand=brand, category=category)
    payload: dict[str, PayloadValue] = {"palette": list(palette)} if palette else {}
    vector = ENCODER.encode_texts([shows])[0] if isinstance(shows, str) else shows
    return Candidate(product, "" if vector is None else "photo", vector, payload)


def case(*checklist: Constraint, build: BuildManifest = GUESSING, encoder: FakeEncoder = ENCODER) -> Case:
    return Case(QueryKind.TEXT, "", checklist, build, encoder)


def opinion(constraint: Constraint, candidate: Candidate, build: BuildManifest = GUESSING) -> Opinion:
    witness: Reranker = ZeroShot()
    (found,) = witness.rerank(case(constraint, build=build), [candidate], time.monotonic() + 60).opinions
    assert found is not None
    return found


def told(constraint: Constraint, candidate: Candidate, build: BuildManifest = GUESSING) -> tuple[Mark, bool]:
    """The mark, and whether the constraint is refuted."""
    found = opinion(constraint, candidate, build)
    return found.judgements[0].mark, 0 in found.refuted


def wanted(field: str, value: str) -> Constraint:
    return Constraint(field=field, value=value)


def _colour(value: str) -> Way:
    return Way(field="colour", value=value)


def unwanted(field: str, value: str) -> Constraint:
    return Constraint(field=field, value=value, wanted=False)


BLUE = wanted("colour", "blue")
CERTAIN, WRONG, OPEN = (Mark.YES, False), (Mark.NO, True), (Mark.UNKNOWN, False)
NOT_SAID = (Mark.NO, False)
"""The shop says something else, which may be another word for it."""


class TestTheShopsOwnWord:
    @pytest.mark.parametrize(
        ("colour", "expected"),
        [
            ("Blue", CERTAIN),
            ("Azure", CERTAIN),
            (("red", "blue"), CERTAIN),
            ("Blue/White", CERTAIN),
            ("red", WRONG),
            ("Navy blue", OPEN),
            ("Teal", OPEN),
            ("multi", OPEN),
            ("Sunset", OPEN),
        ],
    )
    def test_a_colour_holds_by_its_name(self, colour: AttributeValue, expected: tuple[Mark, bool]) -> None:
        assert told(BLUE, shop_item({"colour": colour})) == expected

    @pytest.mark.parametrize(
        ("value", "material", "expected"),
        [
            ("cotton", "Cotton", CERTAIN),
            ("cotton", "Organic cotton", CERTAIN),
            ("cotton", ("wool", "cotton"), CERTAIN),
            ("organic cotton", "cotton", OPEN),
            ("cotton", "wool", NOT_SAID),
            ("wool", "Woollen", OPEN),
            ("boots", "boot", CERTAIN),
            ("levi's", "Levis", CERTAIN),
            ("cotton", "n/a", OPEN),
        ],
    )
    def test_anything_else_holds_by_its_words(
        self, value: str, material: AttributeValue, expected: tuple[Mark, bool]
    ) -> None:
        assert told(wanted("material", value), shop_item({"material": material})) == expected

    def test_it_beats_what_the_photo_shows(self) -> None:
        assert told(BLUE, shop_item({"colour": "red"}, shows="blue", palette=["blue"])) == WRONG
        assert told(BLUE, shop_item({"colour": "blue"}, shows="red", palette=["red"])) == CERTAIN

    def test_what_is_not_wanted_must_not_be_there(self) -> None:
        assert told(unwanted("colour", "blue"), shop_item({"colour": ("red", "azure")})) == WRONG
        assert told(unwanted("colour", "blue"), shop_item({"colour": "red"})) == CERTAIN

    def test_another_value_of_the_shop_is_certainly_another_where_the_photo_does_not_show_the_wanted_one(self) -> None:
        said = manifest({"pattern": ["plain", "striped"]}).model_copy(
            update={"tagging": guessing().tagging, "scale": 100.0}
        )
        striped = wanted("pattern", "striped")
        assert told(striped, shop_item({"pattern": "plain"}, shows="plain"), said) == WRONG
        assert told(striped, shop_item({"pattern": "plain"}, shows="striped"), said) == NOT_SAID
        assert told(striped, shop_item({"pattern": "hatched"}, shows="plain"), said) == NOT_SAID
        assert told(striped, shop_item({"pattern": "plain"}), said) == NOT_SAID

    def test_any_of_several_ways_will_do(self) -> None:
        ways = (Way(field="style", value="leather"), Way(field="material", value="leather"))
        leather = Constraint(field="style", value="leather", alternatives=ways)
        assert told(leather, shop_item({"style": "casual", "material": "leather"})) == CERTAIN
        assert told(leather, shop_item({"style": "casual", "material": "wool"})) == NOT_SAID
        assert told(leather, shop_item({"style": "casual"})) == OPEN
        red = Constraint(field="colour", value="red or blue", alternatives=tuple(map(_colour, ("red", "blue"))))
        assert told(red, shop_item({"colour": "blue"})) == CERTAIN
        assert told(red, shop_item({"colour": "yellow"})) == WRONG

    def test_what_only_has_the_words_in_it_is_neither_refuted_nor_confirmed(self) -> None:
        leather, material = wanted("material", "leather"), {"material": "Faux leather"}
        assert opinion(leather, shop_item(material)).confirmed == frozenset()
        assert opinion(leather, shop_item({"material": "Leather"})).confirmed == {0}
        assert told(unwanted("material", "leather"), shop_item(material)) == NOT_SAID
        assert told(unwanted("material", "leather"), shop_item({"material": "leather"})) == WRONG
        assert opinion(unwanted("material", "wood"), shop_item({"material": "oak"})).confirmed == frozenset()

    def test_brands_and_shelves_exclude_nothing_for_certain(self) -> None:
        assert told(wanted("brand", "acme"), shop_item(brand="Acme")) == CERTAIN
        assert told(wanted("brand", "acme"), shop_item(brand="Kestrel")) == NOT_SAID
        assert told(wanted("category", "mugs"), shop_item(category=("Kitchen", "Mugs & cups"))) == CERTAIN
        assert told(wanted("category", "mugs"), shop_item(category=("Sale",))) == (Mark.NO, False)
        assert told(unwanted("category", "sale"), shop_item(category=("Sale",))) == WRONG


class TestThePhoto:
    def test_it_shows_what_is_there_where_the_shop_says_nothing(self) -> None:
        assert told(wanted("pattern", "striped"), shop_item(shows="striped")) == CERTAIN
        assert told(unwanted("pattern", "striped"), shop_item(shows="striped")) == (Mark.NO, False)

    def test_how_sure_it_is_is_the_degree(self) -> None:
        striped, stripes = wanted("pattern", "striped"), shop_item(shows="stripes")
        sure, less = (opinion(striped, stripes, guessing(scale)).judgements[0].degree for scale in (100.0, 5.0))
        assert sure is not None
        assert less is not None
        assert 0.6 < less < sure
        assert opinion(striped, stripes, guessing(scale=0.1)).judgements == (UNTOLD,)

    def test_values_of_one_colour_are_that_colour_together(self) -> None:
        soft = guessing(scale=10.0)
        degrees = [
            opinion(wanted("colour", name), shop_item(shows="azure"), soft).judgements[0].degree or 0.0
            for name in ("blue", "light blue")
        ]
        assert degrees[0] >= degrees[1] > 0.6

    def test_the_palette_and_the_encoder_decide_colours_together(self) -> None:
        assert told(BLUE, shop_item(shows="blue", palette=["blue"])) == CERTAIN
        assert told(BLUE, shop_item(shows="blue red", palette=["red"]), guessing(scale=1.0)) == OPEN

    def test_a_colour_is_missing_only_where_both_deny_it(self) -> None:
        assert told(BLUE, shop_item(shows="red", palette=["red"])) == WRONG
        assert told(BLUE, shop_item(shows="red")) == OPEN
        assert told(BLUE, shop_item(shows="red", palette=["red", "blue"])) == OPEN
        assert told(unwanted("colour", "blue"), shop_item(shows="red", palette=["red"])) == CERTAIN

    def test_an_unwanted_colour_is_certain_only_where_both_have_it(self) -> None:
        assert told(unwanted("colour", "blue"), shop_item(shows="blue", palette=["blue"])) == WRONG
        assert told(unwanted("colour", "blue"), shop_item(shows="blue")) == (Mark.NO, False)

    def test_of_anything_else_it_never_shows_that_it_is_not_there(self) -> None:
        assert told(wanted("pattern", "striped"), shop_item(shows="plain")) == OPEN

    def test_of_a_colour_that_no_palette_names_neither(self) -> None:
        named: dict[str, tuple[str, ...]] = {"heather": ("heather",), "red": ("red",)}
        build = manifest().model_copy(
            update={"tagging": {"colour": Tagging(values=named, threshold=0.6, used=True)}, "scale": 100.0}
        )
        assert told(wanted("colour", "heather"), shop_item(shows="red", palette=["red"]), build) == OPEN

    def test_titles_tell_nothing(self) -> None:
        blue, red = (opinion(BLUE, shop_item(shows="blue red", title=said)) for said in ("Blue mug", "Red mug"))
        assert blue == red


@pytest.mark.parametrize(
    ("constraint", "candidate", "build"),
    [
        (wanted(PHOTO, ""), shop_item(shows="blue"), GUESSING),
        (wanted(WORDS, "a blue mug"), shop_item(shows="blue"), GUESSING),
        (wanted("material", "cotton"), shop_item(shows="cotton"), GUESSING),
        (wanted("pattern", "dotted"), shop_item(shows="striped"), GUESSING),
        (wanted("pattern", "striped"), shop_item(), GUESSING),
        (wanted("pattern", "striped"), shop_item(shows="striped"), guessing(pattern=False)),
        (wanted("pattern", "striped"), shop_item(shows="striped"), manifest()),
    ],
    ids=["photo", "words", "no such guesses", "no such value", "no photo", "guessed wrong too often", "older build"],
)
def test_it_says_when_it_cannot_tell(constraint: Constraint, candidate: Candidate, build: BuildManifest) -> None:
    found = opinion(constraint, candidate, build)
    assert found == Opinion((UNTOLD,))


class TestTime:
    def test_words_are_encoded_once(self) -> None:
        encoder, witness = FakeEncoder(), ZeroShot()
        for _ in range(3):
            witness.rerank(case(BLUE, encoder=encoder), [shop_item(shows="blue")], time.monotonic() + 60)
        assert sorted(encoder.texts) == ["azure", "blue", "green", "red"]

    def test_another_encoder_has_its_own(self) -> None:
        witness, other = ZeroShot(), FakeEncoder("another")
        seen = shop_item(shows=other.encode_texts(["blue"])[0])
        witness.rerank(case(BLUE), [shop_item(shows="blue")], time.monotonic() + 60)
        (found,) = witness.rerank(case(BLUE, encoder=other), [seen], time.monotonic() + 60).opinions
        assert found is not None
        assert found.judgements[0].mark is Mark.YES

    def test_without_time_the_shops_word_is_all_there_is_and_that_is_said(self) -> None:
        candidates = [shop_item(shows="blue"), shop_item({"colour": "blue"})]
        said = ZeroShot().rerank(case(BLUE), candidates, time.monotonic())
        assert [one.judgements[0].mark for one in said.opinions if one] == [Mark.UNKNOWN, Mark.YES]
        assert said.skipped == ("verification: the words for colour were not encoded in time",)

    def test_a_slow_encoder_is_not_asked_again_when_the_time_will_not_do(self) -> None:
        many = Tagging(
            values={f"value {number}": (f"prompt {number}",) for number in range(80)}, threshold=0.5, used=True
        )
        build = manifest().model_copy(update={"tagging": {"pattern": many}})

        def encoded(seconds: float) -> int:
            slow = _Slow(0.6 * seconds)
            asked = case(wanted("pattern", "value 3"), build=build, encoder=slow)
            ZeroShot().rerank(asked, [shop_item(shows="blue")], time.monotonic() + seconds)
            return len(slow.texts)

        assert late(encoded, lambda texts: texts > 0) < 80


class _Slow(FakeEncoder):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        time.sleep(self._seconds)
        return super().encode_texts(texts)


@given(
    seed=st.integers(0, 10_000),
    value=st.sampled_from([*COLOURS, "teal"]),
    is_wanted=st.booleans(),
    palette=st.lists(st.sampled_from(["red", "blue", "green", "white"]), unique=True),
)
@settings(max_examples=50, deadline=None)
def test_marks_degrees_and_refutations_agree(seed: int, value: str, is_wanted: bool, palette: list[str]) -> None:
    vector = np.random.default_rng(seed).standard_normal(64).astype(np.float32)
    constraint = Constraint(field="colour", value=value, wanted=is_wanted)
    found = opinion(constraint, shop_item(shows=vector / np.linalg.norm(vector), palette=palette))
    (judged,) = found.judgements
    assert (judged.degree is None) is (judged.mark is Mark.UNKNOWN)
    assert not found.refuted or judged.mark is Mark.NO
    against = opinion(replace_wanted(constraint), shop_item(shows=vector / np.linalg.norm(vector), palette=palette))
    assert _degree(judged) + _degree(against.judgements[0]) == pytest.approx(1)


def replace_wanted(constraint: Constraint) -> Constraint:
    return constraint.model_copy(update={"wanted": not constraint.wanted})


def _degree(judged: Judgement) -> float:
    return 0.5 if judged.degree is None else judged.degree

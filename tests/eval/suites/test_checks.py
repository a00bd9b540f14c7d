"""What `check_suite` finds, one fault at a time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eval.generation import Generation
from eval.suites.checks.check import check_suite
from eval.suites.checks.photos import FIT, difference_hash
from eval.suites.checks.products import gallery_of
from eval.suites.checks.report import Severity, SuiteReport
from eval.suites.suite import Qrels, Split, Suite, SuiteCard, SuiteQuery
from indexer.bootstrap import open_catalogue
from indexer.errors import UnknownCatalog
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from tests.eval.worlds import decoders_of
from tests.service.worlds import CATALOG, photo_of

CARD = SuiteCard(name="small", description="d", licence="l", protocol="p", catalog=CATALOG)


@pytest.fixture(scope="module")
def decoders(memory: Settings) -> DecoderPool:
    return decoders_of(memory.images)


@pytest.fixture
def gallery(memory: Settings) -> Generation:
    return Generation.of(open_catalogue(memory), CATALOG)


def suite_of(queries: Sequence[SuiteQuery], qrels: Qrels | None = None, directory: Path = Path()) -> Suite:
    """Every query is answered by shoe-red where nothing else is said."""
    answers = {query.id: {"shoe-red": 1} for query in queries if not query.absent}
    return Suite(CARD, tuple(queries), {**answers, **(qrels or {})}, directory)


def found(report: SuiteReport) -> dict[str, tuple[str, ...]]:
    """Check → examples, halves aside: the suites here have no need of both."""
    return {one.check: one.examples for one in report.findings if one.check != "empty-half"}


def tune(name: str, text: str = "", **fields: object) -> SuiteQuery:
    return SuiteQuery.model_validate({"id": name, "text": text, "split": Split.TUNE, **fields})


def report(name: str, text: str = "", **fields: object) -> SuiteQuery:
    return SuiteQuery.model_validate({"id": name, "text": text, "split": Split.REPORT, **fields})


def save(directory: Path, name: str, picture: Image.Image | bytes) -> str:
    if isinstance(picture, bytes):
        (directory / name).write_bytes(picture)
    else:
        picture.save(directory / name)
    return name


def scene(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((96, 96), Image.Resampling.BICUBIC)


def test_a_good_suite_has_no_findings(decoders: DecoderPool, gallery: Generation) -> None:
    suite = suite_of([tune("a", "red shoe"), report("b", "blue shoe")], {"b": {"shoe-blue": 1}})
    told = check_suite(suite, gallery, decoders)
    assert (told.sound, found(told)) == (True, {"no-text": ("shoe-red", "shoe-blue")})
    assert (told.queries, told.judgements, told.halves) == (2, 2, {"tune": 1, "report": 1})
    assert told.digest == suite.digest


def test_the_same_words_in_both_halves(decoders: DecoderPool) -> None:
    queries = [tune("a", "Red  mugs!"), report("b", "mug red"), report("c", "mug red small"), tune("d", "blue cup")]
    told = check_suite(suite_of(queries), None, decoders)
    assert found(told) == {"same-query-in-both-halves": ("a and b",)}


def test_the_same_reference_is_another_question_with_another_change(decoders: DecoderPool) -> None:
    queries = [tune("a", like="mug-red", change="in blue"), report("b", like="mug-red", change="in green")]
    assert found(check_suite(suite_of(queries), None, decoders)) == {}
    again = [*queries, report("c", like="mug-red", change="blue in")]
    assert found(check_suite(suite_of(again), None, decoders)) == {"same-query-in-both-halves": ("a and c",)}


def test_nearly_the_same_photo_in_both_halves(decoders: DecoderPool, tmp_path: Path) -> None:
    lighter = Image.fromarray(np.clip(np.asarray(scene(1)).astype(int) + 12, 0, 255).astype(np.uint8)).resize((80, 80))
    names = [save(tmp_path, "1.png", scene(1)), save(tmp_path, "2.png", lighter), save(tmp_path, "3.png", scene(2))]
    queries = [tune("a", photo=names[0]), report("b", photo=names[1]), report("c", photo=names[2])]
    told = check_suite(suite_of(queries, directory=tmp_path), None, decoders)
    assert found(told) == {"same-query-in-both-halves": ("a and b",)}


def test_wordings_of_a_question_may_have_the_same_words_other_questions_not(decoders: DecoderPool) -> None:
    wordings = [tune("a", "red mug", paraphrases="p"), tune("b", "mug red", paraphrases="p")]
    assert found(check_suite(suite_of(wordings), None, decoders)) == {}
    told = check_suite(suite_of([*wordings, tune("c", "red mugs")]), None, decoders)
    assert found(told) == {"same-query-twice": ("a and c",)}


def test_paraphrases_alone_and_torn(decoders: DecoderPool) -> None:
    queries = [
        tune("a", "red mug", paraphrases="torn"),
        report("b", "a mug that is red", paraphrases="torn"),
        tune("c", "hat", paraphrases="alone"),
    ]
    told = check_suite(suite_of(queries), None, decoders)
    assert found(told) == {"paraphrases-in-both-halves": ("torn",), "paraphrase-alone": ("alone",)}


def test_a_photo_that_is_in_the_gallery(decoders: DecoderPool, gallery: Generation, tmp_path: Path) -> None:
    names = [save(tmp_path, "same.png", photo_of("red", seed=50)), save(tmp_path, "other.png", scene(5))]
    queries = [tune("a", photo=names[0]), tune("b", photo=names[1])]
    told = check_suite(suite_of(queries, {"b": {"lamp-black": 1}}, tmp_path), gallery, decoders)
    assert found(told)["photo-in-gallery"] == ("same.png",)
    assert "photo-nearly-in-gallery" not in found(told)


def test_a_photo_that_is_nearly_its_answers(decoders: DecoderPool, gallery: Generation, tmp_path: Path) -> None:
    Image.open(save_path(tmp_path, photo_of("red", seed=50))).convert("RGB").save(tmp_path / "near.jpg", quality=80)
    told = check_suite(suite_of([tune("a", photo="near.jpg")], directory=tmp_path), gallery, decoders)
    assert found(told)["photo-nearly-in-gallery"] == ("near.jpg",)


def save_path(directory: Path, content: bytes) -> Path:
    return directory / save(directory, "original.png", content)


def test_a_photo_that_cannot_be_read_is_an_error(decoders: DecoderPool, tmp_path: Path) -> None:
    save(tmp_path, "broken.jpg", b"no picture")
    queries = [tune("a", photo="broken.jpg"), tune("b", photo="gone.jpg")]
    told = check_suite(suite_of(queries, directory=tmp_path), None, decoders)
    (first, second) = found(told)["unreadable-photo"]
    assert first.startswith("gone.jpg: No such file")
    assert second.startswith("broken.jpg: ")
    assert not told.sound


def test_products_that_are_missing_or_bare(decoders: DecoderPool, gallery: Generation) -> None:
    suite = suite_of([tune("a", "mug"), tune("b", like="nobody")], {"a": {"mug-sketch": 1, "gone": 0}})
    told = check_suite(suite, gallery, decoders)
    assert found(told)["unknown-product"] == ("gone", "nobody")
    assert found(told)["no-photo"] == ("mug-sketch",)
    assert told.findings[0].severity is Severity.ERROR
    assert not told.sound


def test_a_family_in_both_halves(decoders: DecoderPool, gallery: Generation) -> None:
    queries = [tune("a", like="mug-red"), report("b", like="mug-blue", change="in green"), report("c", like="shoe-red")]
    assert found(check_suite(suite_of(queries), gallery, decoders))["family-in-both-halves"] == ("mug",)


def test_queries_with_very_many_answers_and_tags_that_cover_most(decoders: DecoderPool) -> None:
    many = {"a": {f"p{number}": 1 for number in range(150)}, "b": {f"p{number}": 1 for number in range(10)}}
    queries = [tune(name, f"words {name}", tags=("common",)) for name in "abcde"]
    queries[-1] = queries[-1].model_copy(update={"tags": ("common", "rare")})
    told = check_suite(suite_of(queries, many), None, decoders)
    assert found(told) == {"many-relevant": ("a (150)",), "one-tag": ("common (5)",)}
    assert told.relevant is not None
    assert (told.relevant.least, told.relevant.median, told.relevant.most) == (1, 1.0, 150)
    assert told.tags == {"common": 5, "rare": 1}


def test_what_is_skipped_without_the_catalogue_is_said(decoders: DecoderPool, memory: Settings) -> None:
    database = open_catalogue(memory)
    assert gallery_of(database, None, CATALOG) == Generation.of(database, CATALOG)
    assert gallery_of(database, None, "elsewhere") is None
    with pytest.raises(UnknownCatalog):
        gallery_of(database, "elsewhere", CATALOG)
    elsewhere = replace(suite_of([tune("a", "red mug")]), card=CARD.model_copy(update={"catalog": "elsewhere"}))
    told = check_suite(elsewhere, None, decoders)
    assert told.skipped == (
        "products, leaks into the gallery and categories: no build of catalog elsewhere is published",
    )


def test_a_half_without_queries_is_noted(decoders: DecoderPool) -> None:
    told = check_suite(suite_of([tune("a", "red mug")]), None, decoders)
    assert [(one.check, one.examples) for one in told.findings] == [("empty-half", ("report",))]


def test_difference_hashes_follow_the_picture() -> None:
    rising = np.repeat(np.linspace(0, 255, 9).astype(np.uint8)[None, :, None], 3, axis=2).repeat(8, axis=0)
    assert rising.shape == (*FIT.size, 3)
    assert difference_hash(rising) == 2**64 - 1
    assert difference_hash(rising[:, ::-1]) == 0
    half = rising.copy()
    half[4:] = half[4:, ::-1]
    assert difference_hash(half) == (2**32 - 1) << 32

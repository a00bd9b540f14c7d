"""The evaluation gate over a shop whose photos got mixed up."""

import shutil
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval.gating.gate import evaluation_gate
from eval.gating.sides import Access
from indexer.bootstrap import open_catalogue
from indexer.builds.listing import list_builds
from indexer.builds.live import open_live, published_build
from indexer.builds.pipeline import Pipeline
from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.errors import EncoderMismatch
from indexer.settings import GateSettings
from indexer.sources import open_source
from indexer.store_settings import StoreSettings
from indexer.stores.edge_keeping import EdgeStores
from tests.eval.gating.worlds import MUGS, MugShop, fake_encoder, photo_suite, word_suite
from tests.fakes import FakeEncoder
from tests.service.worlds import CATALOG, Item, open_fake_shop, write_catalogue

ALONE = Access(fake_encoder, lambda settings: None)
"""No service runs."""


def judged(mugs: MugShop, access: Access = ALONE, **demands: object) -> GateVerdict:
    with mugs.candidate(**demands) as candidate:  # type: ignore[arg-type]
        return evaluation_gate(candidate, access)


@pytest.fixture
def in_memory(mugs: MugShop) -> MugShop:
    """The same builds in a store that is filled when it is opened."""
    return replace(mugs, settings=mugs.settings.model_copy(update={"store": StoreSettings(kind="memory")}))


def test_mixed_up_photos_are_refused_and_the_refusal_says_which_queries_lost_what(mugs: MugShop) -> None:
    assert "6 of 6 canaries have no right product among their first 10: red-0.png (wants red-0), " in mugs.refusal
    assert "RR@10 on suite photos went from 1.00 to .00 (−1.00 [−1.00, −1.00])" in mugs.refusal
    assert "most lost: blue-0.png 1.00 → .00, blue-1.png 1.00 → .00" in mugs.refusal


def test_the_old_build_still_answers(mugs: MugShop) -> None:
    assert published_build(mugs.database, CATALOG)[1] == mugs.published
    states = {row["build"]: row["state"] for row in list_builds(mugs.database, CATALOG)}
    assert states == {mugs.mixed: "ready", mugs.published: "published"}
    with closing(open_live(mugs.database, mugs.settings, mugs.published)) as index:
        assert index.store.count() == len(MUGS)


def test_old_against_new_is_told_and_refuses_nothing(mugs: MugShop) -> None:
    verdict = judged(mugs, suites=[mugs.words], tolerance=1.0)

    assert verdict.passed
    assert verdict.figures == {
        "recall@10": 1.0,
        "words RR@10": 0.0,
        "words RR@10 published": 1.0,
        "words RR@10 gain": -1.0,
        "words overlap@10": 0.0,
    }
    assert any(one.startswith("Most changed on suite words") and "'blue' .00" in one for one in verdict.notices)


def test_the_measure_can_be_chosen_and_a_wrong_one_refuses(in_memory: MugShop) -> None:
    words = [in_memory.words]
    assert "P@1 on suite words went from 1.00" in judged(in_memory, suites=words, measure="P@1").reasons[0]
    assert "No measure 'Glory@10'" in judged(in_memory, suites=words, measure="Glory@10").reasons[0]
    nothing = judged(in_memory, suites=words, measure="NegRecall@10").reasons
    assert (
        nothing
        == (
            "Suite words cannot be measured: Suite words holds nothing that NegRecall@10 is about; "
            "name another in gate.measure.",
        )
        * 2
    )


def test_without_a_published_build_only_absolute_demands_count(mugs: MugShop) -> None:
    assert judged(mugs, alone=True, suites=[mugs.words]).passed
    verdict = judged(mugs, alone=True, suites=[mugs.words], minimum=0.5)
    assert verdict.reasons == ("RR@10 on suite words is .00, less than the minimum .50.",)


def test_a_suite_of_another_catalog_is_left_out_by_name(mugs: MugShop, tmp_path: Path) -> None:
    foreign = word_suite(tmp_path, catalog="lamps").directory
    verdict = judged(mugs, suites=[foreign], canaries=foreign)
    assert verdict.passed
    assert verdict.notices == ("Suite words is about catalog lamps, not shop, and was not asked.",) * 2


def test_a_suite_that_cannot_be_read_refuses(mugs: MugShop, tmp_path: Path) -> None:
    assert "a suite is a directory with" in judged(mugs, suites=[tmp_path / "nowhere"]).reasons[0]


def test_a_published_build_is_asked_through_the_running_service(mugs: MugShop) -> None:
    suites = [mugs.words, mugs.photos]
    with open_fake_shop(mugs.settings, fake_encoder) as service:
        service.warm()
        served = judged(mugs, Access(fake_encoder, lambda settings: service), suites=suites)
    assert served == judged(mugs, suites=suites)
    assert not served.passed


def test_a_published_store_that_a_stranger_owns_refuses(mugs: MugShop) -> None:
    with closing(open_live(mugs.database, mugs.settings, mugs.published)):
        verdict = judged(mugs, suites=[mugs.words])
    assert "is owned by process" in verdict.reasons[0]
    assert judged(mugs, suites=[]).passed, "nothing has to be asked of it then"


@pytest.fixture
def copy(mugs: MugShop, tmp_path: Path) -> MugShop:
    """One to be changed."""
    shutil.copytree(mugs.settings.home, tmp_path / "home")
    settings = mugs.settings.model_copy(update={"home": tmp_path / "home"})
    return MugShop(
        settings, open_catalogue(settings), mugs.published, mugs.mixed, mugs.refusal, mugs.words, mugs.photos
    )


def test_a_published_store_that_is_gone_holds_nothing_up_and_is_told(copy: MugShop) -> None:
    EdgeStores(copy.settings.home).remove(copy.published)
    verdict = judged(copy, suites=[copy.words])
    assert verdict.passed
    assert f"Nothing was compared with build {copy.published}, which cannot be asked: Build" in verdict.notices[0]


def made_by(copy: MugShop, encoder: Encoder) -> None:
    """The published build claims to be another encoder's."""
    with copy.database.begin() as session:
        builds = BuildRepository(session)
        manifest, lexicon = builds.manifest(copy.published), builds.lexicon(copy.published)
        assert manifest is not None
        assert lexicon is not None
        changed = manifest.model_copy(update={"encoder": encoder.spec.identity})
        builds.save_manifest(copy.published, changed, lexicon, datetime.now(UTC))


def test_another_encoder_than_the_published_builds_is_told_and_compared(copy: MugShop) -> None:
    before = FakeEncoder("before")
    made_by(copy, before)
    opened: list[str] = []

    def open_encoder(manifest: BuildManifest) -> Encoder:
        opened.append(manifest.build)
        return before

    verdict = judged(copy, Access(open_encoder, lambda settings: None), suites=[copy.words])

    assert opened == [copy.published]
    assert "The encoder changed from fake" in verdict.notices[0]
    assert "the calibration were made anew" in verdict.notices[0]
    assert "words RR@10 published" in verdict.figures


def test_a_former_encoder_that_is_gone_holds_nothing_up_and_is_told(copy: MugShop) -> None:
    made_by(copy, FakeEncoder("before"))

    def gone(manifest: BuildManifest) -> Encoder:
        raise EncoderMismatch("the weights changed")

    verdict = judged(copy, Access(gone, lambda settings: None), suites=[copy.words])
    assert verdict.passed
    assert verdict.notices[1].endswith("which cannot be asked: the weights changed")


def test_an_encoder_that_did_not_make_the_build_refuses_and_asks_nothing(mugs: MugShop) -> None:
    verdict = judged(mugs, encoder=FakeEncoder("another"), suites=[mugs.words])
    assert verdict.reasons[0].startswith("The build was made with encoder fake ")
    assert set(verdict.figures) == {"recall@10"}


def test_the_memory_store_is_compared_like_any_other_but_for_its_recall(mugs: MugShop, in_memory: MugShop) -> None:
    verdict = judged(in_memory, suites=[mugs.words])
    assert verdict.notices[0] == "The memory store searches exactly, so its recall was not checked."
    on_disk = judged(mugs, suites=[mugs.words])
    assert verdict.reasons == on_disk.reasons
    assert {**verdict.figures, "recall@10": 1.0} == on_disk.figures


def test_a_product_that_left_the_catalogue_is_lost_by_the_new_build_only(copy: MugShop, tmp_path: Path) -> None:
    """The published build has the catalogue as it was."""
    source = write_catalogue(tmp_path / "left", [Item("cup", "Cup", photos=["white"]), *MUGS[1:]])
    settings = copy.settings.model_copy(update={"gate": GateSettings(suites=(copy.photos,))})
    pipeline = Pipeline(copy.database, settings, FakeEncoder())

    (verdict,) = pipeline.run(open_source(source), CATALOG, lambda progress: None).verdicts

    told = "Suite photos wants 1 products that catalog shop does not have: red-0; they count as not found."
    assert told in verdict.notices
    assert verdict.figures["photos RR@10 published"] == 1.0
    assert verdict.figures["photos RR@10"] == pytest.approx(5 / 6)


def test_a_canary_whose_product_left_the_catalogue_says_so(mugs: MugShop, tmp_path: Path) -> None:
    suite = photo_suite(tmp_path, wants={"red-0": "teapot"}).directory
    assert "red-0.png (the catalogue no longer has teapot)" in judged(mugs, canaries=suite).reasons[0]

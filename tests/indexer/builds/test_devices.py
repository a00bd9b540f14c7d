"""Builds with an encoder process for each of several devices give what one encoder gives, whatever happens to them."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from indexer.builds.devices import Devices, open_embedder
from indexer.builds.embedder import Equipment, Here, Looked, OpenEncoder, Photo
from indexer.builds.embeddings import Embeddings
from indexer.catalog.records import ReadyImage, RejectedImage
from indexer.domain import Matrix, Pixels
from indexer.encoders import EncoderSettings, devices_of
from indexer.errors import BuildCancelled, EncoderMismatch, UnavailableError
from tests.fakes import COLOURS, FakeEncoder
from tests.indexer.builds.shop import Shop

PHOTOS = 60
HALF = 1e-3
"""Vectors are kept as fp16."""


def fake(settings: EncoderSettings) -> FakeEncoder:
    return FakeEncoder()


def other(settings: EncoderSettings) -> FakeEncoder:
    return FakeEncoder(salt="other")


class Dying(FakeEncoder):
    """Its process is killed at its first text or photo, unless it left a `witness` when that happened before."""

    def __init__(self, witness: Path | None = None) -> None:
        super().__init__()
        self._witness = witness

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        self._die()
        return super().encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self._die()
        return super().encode_texts(texts)

    def _die(self) -> None:
        if self._witness is None or not self._witness.exists():
            if self._witness is not None:
                self._witness.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def dying_once(settings: EncoderSettings) -> Dying:
    """The encoder's name is the test's folder."""
    return Dying(Path(settings.name) / "died")


def dying(settings: EncoderSettings) -> Dying:
    return Dying()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop.at(tmp_path_factory.mktemp("devices"))
    for mark, colour in zip(range(PHOTOS), list(COLOURS) * PHOTOS, strict=False):
        shop.draw(f"{mark}.png", colour, mark)
    (shop.folder / "broken.png").write_bytes(b"no picture")
    return shop


@pytest.fixture(scope="module")
def family() -> Iterator[str]:
    """A mark in the environment that every process started here, or by one that was, carries."""
    with pytest.MonkeyPatch.context() as patch:
        mark = f"VITRINE_TEST_FAMILY={os.getpid()}-{time.monotonic_ns()}"
        patch.setenv(*mark.split("="))
        yield mark


@pytest.fixture(scope="module")
def both(shop: Shop, family: str) -> Iterator[Devices]:
    """Two devices that several tests use one after the other, which spares starting their processes."""
    with closing(devices(shop, fake, ("cpu", "cpu:0"))) as both:
        yield both


def devices(
    shop: Shop, open_encoder: OpenEncoder, names: Sequence[str] = ("cpu",), home: Path | None = None
) -> Devices:
    """With a cache of their own if they have a `home`, which the encoder has for a name."""
    home = home or shop.settings.home
    encoder = shop.settings.encoder.model_copy(update={"name": str(home)})
    settings = shop.settings.model_copy(update={"home": home, "encoder": encoder})
    return Devices(Equipment.of(settings, FakeEncoder().spec.identity), names, open_encoder)


def embeddings(home: Path) -> Embeddings:
    return Embeddings(home, FakeEncoder().spec.identity)


def photos() -> Iterator[Photo]:
    yield Photo("broken", "b", "broken.png")
    for number in range(PHOTOS):
        yield Photo(f"product-{number}", "p", f"{number}.png")


def unwatched(count: int) -> None:
    """Nobody asks."""


def by_product(looked: Iterator[Looked]) -> dict[str, ReadyImage | RejectedImage]:
    outcomes = [outcome for one in looked for outcome in one.outcomes]
    assert len(outcomes) == len({outcome.product_id for outcome in outcomes}), "each photo has one outcome"
    return {outcome.product_id: outcome for outcome in outcomes}


def hashes(outcomes: dict[str, ReadyImage | RejectedImage]) -> list[str]:
    return [one.content_hash for _, one in sorted(outcomes.items()) if isinstance(one, ReadyImage)]


def test_two_devices_give_the_outcomes_and_vectors_of_one(shop: Shop, both: Devices, tmp_path: Path) -> None:
    alone, together = embeddings(tmp_path), embeddings(shop.settings.home)
    expected = by_product(Here(FakeEncoder(), alone, shop.settings).photos(photos(), shop.folder, unwatched))
    beats: list[int] = []

    found = by_product(both.photos(photos(), shop.folder, beats.append))

    assert found == expected
    assert isinstance(found["broken"], RejectedImage)
    assert sum(beats) == PHOTOS + 1
    np.testing.assert_allclose(together.of_images(hashes(found)), alone.of_images(hashes(found)), atol=HALF)


def test_texts_are_shared_out_too_and_encoded_once(shop: Shop, both: Devices) -> None:
    encoder = FakeEncoder()
    texts = [f"mug {number}" for number in range(1_500)]

    first = sum(both.texts(texts, unwatched))
    again = sum(both.texts(texts, unwatched))

    assert (first, again) == (len(texts), 0)
    np.testing.assert_allclose(
        embeddings(shop.settings.home).of_texts(texts[-3:]), encoder.encode_texts(texts[-3:]), atol=HALF
    )


def test_a_stage_that_is_cancelled_leaves_no_process_behind(shop: Shop, both: Devices, family: str) -> None:
    def cancelled(count: int) -> None:
        if count:
            raise BuildCancelled("enough")

    with closing(both.photos(photos(), shop.folder, cancelled)) as looked, pytest.raises(BuildCancelled):
        next(looked)
    assert spawned(family)
    both.close()

    deadline = time.monotonic() + 30
    while (left := spawned(family)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def spawned(family: str) -> list[int]:
    """The processes of the family that are not over."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and family.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def test_a_process_that_is_killed_is_started_again_and_nothing_is_lost(shop: Shop, tmp_path: Path) -> None:
    with closing(devices(shop, dying_once, home=tmp_path)) as one:
        found = by_product(one.photos(photos(), shop.folder, unwatched))

    assert (tmp_path / "died").exists()
    assert len(found) == PHOTOS + 1
    assert embeddings(tmp_path).of_images(hashes(found)).shape == (PHOTOS, 64)


def test_a_process_that_keeps_dying_ends_the_stage_with_its_devices_name(shop: Shop, tmp_path: Path) -> None:
    with (
        closing(devices(shop, dying, home=tmp_path)) as one,
        pytest.raises(UnavailableError, match=r"process on cpu died 2 times \(exit code -9\)"),
    ):
        list(one.texts(["red mug"], unwatched))


def test_another_encoder_in_a_process_is_refused(shop: Shop, tmp_path: Path) -> None:
    with (
        closing(devices(shop, other, home=tmp_path)) as one,
        pytest.raises(EncoderMismatch, match="install the same weights everywhere"),
    ):
        list(one.texts(["red mug"], unwatched))


@pytest.mark.parametrize(("device", "kind"), [("auto", Here), ("cpu", Here), ("cpu,cpu", Devices)])
def test_the_setting_says_how_many_encoders_there_are(shop: Shop, tmp_path: Path, device: str, kind: type) -> None:
    settings = shop.settings.model_copy(update={"encoder": EncoderSettings(device=device)})
    encoder = FakeEncoder()

    assert isinstance(open_embedder(encoder, Embeddings(tmp_path, encoder.spec.identity), settings), kind)


@pytest.mark.parametrize(
    ("setting", "named"), [("auto", ("auto",)), ("cuda:1", ("cuda:1",)), ("cuda:0, cuda:1", ("cuda:0", "cuda:1"))]
)
def test_a_device_setting_is_one_device_or_a_list_of_them(setting: str, named: tuple[str, ...]) -> None:
    assert devices_of(setting) == named

"""Builds on a Ray cluster of two workers give what builds in one process give: `make test-ray`."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from indexer.builds.embedder import Equipment, OpenEncoder, Photo
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import BuildReport, Progress, Watch
from indexer.domain import Channel, ImageRef, Vector, point_id
from indexer.encoders import EncoderSettings
from indexer.errors import EncoderMismatch, SettingsError
from indexer.scale import OnRay
from indexer.settings import EmbeddingSettings
from indexer.sources import open_source
from tests.fakes import COLOURS, FakeEncoder
from tests.indexer.builds.shop import Row, Shop, catalogue

pytest.importorskip("ray", reason="Ray is not installed here: make test-ray")
pytestmark = pytest.mark.filterwarnings("default")

PRODUCTS = 60
EQUAL = 1e-3
ROOT = Path(__file__).parents[2]
KILLED_AFTER = 33
"""Photos: two portions of four batches are in the ledger by then."""
KILLED = """
import os, signal, sys
from pathlib import Path
from tests.ray.test_scale import KILLED_AFTER, built_on_ray, shop_at

def watch(progress):
    if progress.unit == "images" and progress.done >= KILLED_AFTER:
        os.kill(os.getpid(), signal.SIGKILL)

built_on_ray(shop_at(Path(sys.argv[1])), watch)
"""


def fake(settings: EncoderSettings) -> FakeEncoder:
    return FakeEncoder()


def other(settings: EncoderSettings) -> FakeEncoder:
    return FakeEncoder(salt="other")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """A head that does no work, and two workers of two cores each."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as environment:
        started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 80_000_000})
        for _ in range(2):
            started.add_node(num_cpus=2, object_store_memory=80_000_000)
        environment.setenv("RAY_ADDRESS", started.address)
        yield
        started.shutdown()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Sixty products with a photo each, one of which cannot be read."""
    shop = shop_at(tmp_path)
    shop.write([Row(id=f"mug-{one}", title=f"Mug number {one}", images=f"{one}.png") for one in range(PRODUCTS)])
    for number, colour in zip(range(PRODUCTS), list(COLOURS) * PRODUCTS, strict=False):
        shop.draw(f"{number}.png", colour, number)
    (shop.folder / "7.png").write_bytes(b"no picture")
    return shop


def shop_at(path: Path) -> Shop:
    """Its embeddings are where all workers reach them."""
    shop = Shop.at(path, "edge")
    embeddings = EmbeddingSettings(url=str(path / "embeddings"))
    return Shop(shop.folder, shop.settings.model_copy(update={"embeddings": embeddings}))


def unwatched(progress: Progress) -> None:
    """Nobody asks."""


def on_ray(shop: Shop, open_encoder: OpenEncoder = fake) -> OnRay:
    spec = FakeEncoder().spec
    return OnRay(Equipment.of(shop.settings, spec.identity), spec, open_encoder)


def built_on_ray(shop: Shop, watch: Watch = unwatched) -> BuildReport:
    with catalogue(shop.settings) as database:
        pipeline = Pipeline(database, shop.settings, FakeEncoder(), gates={}, embedder=on_ray(shop))
        return pipeline.run(open_source(shop.file), "shop", watch)


def stored(shop: Shop) -> Mapping[UUID, Mapping[Channel, Vector]]:
    """The published points with their vectors."""
    ids = [point_id("shop", f"mug-{one}", image) for one in range(PRODUCTS) for image in ("", image_of(one))]
    with shop.live() as index:
        found = index.store.fetch(ids)
        assert len(found) == index.store.count()
    return found


def distance(one: Mapping[Channel, Vector], other: Mapping[Channel, Vector]) -> float:
    """The largest difference of any number."""
    assert one.keys() == other.keys()
    return max(float(np.abs(one[channel] - other[channel]).max()) for channel in other)


def image_of(number: int) -> str:
    return ImageRef(f"{number}.png").image_id


def test_a_build_on_two_workers_has_the_points_and_vectors_of_a_local_one(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = EmbeddingSettings(url=str(tmp_path / "local-embeddings"))
    local = Shop(shop.folder, shop.settings.model_copy(update={"home": tmp_path / "local", "embeddings": elsewhere}))
    expected = local.build()
    stages: list[Progress] = []

    report = built_on_ray(shop, stages.append)

    ours, theirs = stored(shop), stored(local)
    far = max(distance(ours[point], vectors) for point, vectors in theirs.items())
    with capsys.disabled():
        print(f"\n{len(ours)} points, ids equal: {ours.keys() == theirs.keys()}; largest difference {far:g}")
    assert ours.keys() == theirs.keys()
    assert far <= EQUAL
    assert (report.encoded_images, report.encoded_texts) == (expected.encoded_images, expected.encoded_texts)
    assert report.rejected_images == expected.rejected_images == {"unsupported_format": 1}
    assert max(one.done for one in stages if one.unit == "images") == PRODUCTS


def test_a_build_that_was_killed_goes_on_behind_what_it_had_finished(shop: Shop) -> None:
    child = subprocess.run([sys.executable, "-c", KILLED, str(shop.folder.parent)], cwd=ROOT, check=False)

    report = built_on_ray(shop)

    assert child.returncode == -signal.SIGKILL
    assert report.state == "published"
    assert report.encoded_images <= PRODUCTS - 2 * 4 * shop.settings.encoder.batch_size
    assert len(stored(shop)) == PRODUCTS


def test_another_encoder_on_a_worker_is_refused(shop: Shop) -> None:
    ray = on_ray(shop, other)

    with pytest.raises(EncoderMismatch, match="install the same weights everywhere"):
        list(ray.photos([Photo("mug", "image", "1.png")], shop.folder, lambda _: None))
    ray.close()


def test_a_folder_that_a_worker_does_not_see_is_refused_before_any_photo_is(shop: Shop, tmp_path: Path) -> None:
    ray = on_ray(shop)

    with pytest.raises(SettingsError, match="mount the photos on every host"):
        list(ray.photos([Photo("mug", "image", "1.png")], tmp_path / "nowhere", lambda _: None))
    ray.close()

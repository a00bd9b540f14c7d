import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from indexer.domain import ImageRef
from indexer.errors import ImageRejected
from indexer.images.containers import JPEG_SCAN_LIMIT
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit, fit
from indexer.images.names import name_colours
from indexer.images.reasons import Reason
from indexer.images.regions import Box
from indexer.places import Remote
from indexer.settings import ImageSettings
from tests.indexer.images.children import children, kill_at_work
from tests.indexer.images.drawn import LIMITS, png, saved, scene, studio

SPEC = Fit((32, 32))
GOOD = saved(scene(), "PNG")
LARGE = png(7_000, 7_000, 8, 2, bytes(7_000 * 21_001))
"""147 MB of pixels in 143 kB."""


def _hanging() -> bytes:
    """A progressive JPEG of the most pixels, whose last scan comes as often as is accepted: seconds of decoding."""
    content = saved(Image.new("L", (7_000, 7_000), 128), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * (JPEG_SCAN_LIMIT - content.count(b"\xff\xda") + 1) + b"\xff\xd9"


HANGING = _hanging()


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderPool]:
    with DecoderPool.of(ImageSettings(decoders=2)) as pool:
        yield pool


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "red.jpg").write_bytes(saved(studio((200, 37, 42)), "JPEG"))
    (tmp_path / "note.jpg").write_text("a shopping list")
    (tmp_path / "empty.png").touch()
    return tmp_path


def reason(outcome: Decoded | ImageRejected) -> str:
    assert isinstance(outcome, ImageRejected)
    return outcome.reason


def decoded(pool: DecoderPool, *contents: bytes) -> list[Decoded | ImageRejected]:
    return [outcome for _, outcome in pool.map(DecodeTask(content, SPEC) for content in contents)]


def test_bytes_come_back_fitted_hashed_and_with_a_palette(decoders: DecoderPool) -> None:
    result = decoders.decode(DecodeTask(GOOD, SPEC))
    assert result.content_hash == hashlib.sha256(GOOD).hexdigest()
    assert (result.width, result.height) == (96, 64)
    np.testing.assert_array_equal(result.pixels, fit(scene(), SPEC))
    assert result.palette.colours


def test_files_are_read_by_the_child(decoders: DecoderPool, shop: Path) -> None:
    result = decoders.decode(DecodeTask(ImageRef("red.jpg"), SPEC, shop))
    assert result.content_hash == hashlib.sha256((shop / "red.jpg").read_bytes()).hexdigest()
    assert next(iter(name_colours(result.palette))) == "red"


def two_things() -> Image.Image:
    """Red on the left, blue on the right, on white; 400 x 200."""
    image = Image.new("RGB", (400, 200), (250, 250, 250))
    image.paste((200, 37, 42), (40, 40, 160, 160))
    image.paste((30, 60, 200), (240, 40, 360, 160))
    return image


def test_a_box_leaves_its_part_of_the_upright_picture(decoders: DecoderPool) -> None:
    right_half = Box(0.5, 0, 0.5, 1)
    plain = decoders.decode(DecodeTask(saved(two_things(), "PNG"), SPEC, box=right_half))
    np.testing.assert_array_equal(plain.pixels, fit(two_things().crop((200, 0, 400, 200)), SPEC))
    assert next(iter(name_colours(plain.palette))) == "blue"
    assert (plain.width, plain.height) == (400, 200)
    lying = two_things().transpose(Image.Transpose.ROTATE_90)
    turned = Image.Exif()
    turned[0x0112] = 6
    upright = decoders.decode(DecodeTask(saved(lying, "PNG", exif=turned), SPEC, box=right_half))
    np.testing.assert_array_equal(upright.pixels, plain.pixels)


def test_a_part_of_a_large_jpeg_is_as_sharp_as_if_it_were_the_whole(decoders: DecoderPool) -> None:
    blocks = np.random.default_rng(1).integers(0, 256, (100, 150), np.uint8).astype(np.uint8)
    large = Image.fromarray(blocks).resize((2400, 1600), Image.Resampling.NEAREST).convert("RGB")
    box = Box(0.25, 0.5, 0.03125, 0.03125)
    part = decoders.decode(DecodeTask(saved(large, "JPEG", quality=95), SPEC, box=box))
    expected = fit(large.crop(box.of(2400, 1600)), SPEC)
    assert np.abs(part.pixels.astype(int) - expected).mean() < 4


@pytest.mark.parametrize(
    ("box", "why"), [(Box(0, 0, 0.02, 0.02), Reason.TOO_SMALL), (Box(0, 0, 1, 0.09), Reason.BAD_ASPECT)]
)
def test_a_box_that_leaves_too_little_is_refused(decoders: DecoderPool, box: Box, why: Reason) -> None:
    image = saved(Image.new("RGB", (400, 200), (90, 90, 90)), "PNG")
    ((_, outcome),) = decoders.map([DecodeTask(image, SPEC, box=box)])
    assert reason(outcome) == why


def test_the_gate_sees_the_whole_whatever_the_box(decoders: DecoderPool) -> None:
    long = saved(Image.new("RGB", (2_000, 20), (90, 90, 90)), "PNG")
    ((_, outcome),) = decoders.map([DecodeTask(long, SPEC, box=Box(0, 0, 0.02, 1))])
    assert reason(outcome) == Reason.BAD_ASPECT


def test_regions_are_found_by_the_child(decoders: DecoderPool) -> None:
    left, right = sorted((one.box for one in decoders.regions(saved(two_things(), "PNG"))), key=lambda box: box.left)
    assert left.left + left.width < 0.5 < right.left
    part = decoders.decode(DecodeTask(saved(two_things(), "PNG"), SPEC, box=right))
    assert next(iter(name_colours(part.palette))) == "blue"
    with pytest.raises(ImageRejected) as refused:
        decoders.regions(b"a shopping list")
    assert refused.value.reason == Reason.UNSUPPORTED_FORMAT


def test_outcomes_keep_the_order_and_say_what_was_wrong(decoders: DecoderPool, shop: Path) -> None:
    uris = ["red.jpg", "note.jpg", "empty.png", "none.jpg", "../out.jpg", "http://shop.example/a.jpg", "red.jpg"] * 5
    tasks = [DecodeTask(ImageRef(uri), SPEC, shop, key=number) for number, uri in enumerate(uris)]
    outcomes = list(decoders.map(tasks))
    assert [task.key for task, _ in outcomes] == list(range(35))
    assert isinstance(outcomes[0][1], Decoded)
    assert [reason(outcome) for _, outcome in outcomes[1:6]] == [
        Reason.UNSUPPORTED_FORMAT,
        Reason.EMPTY,
        Reason.MISSING,
        Reason.OUTSIDE_ROOT,
        Reason.NOT_HTTPS,
    ]


def test_files_of_a_bucket_have_the_same_outcomes(decoders: DecoderPool, shop: Path) -> None:
    bucket = Remote(f"memory://{shop.name}")
    for file in shop.iterdir():
        MemoryFileSystem().pipe_file(str(bucket / file.name), file.read_bytes())
    uris = ["red.jpg", "note.jpg", "empty.png", "none.jpg", "../out.jpg", "http://shop.example/a.jpg"]
    (_, local), *_ = decoders.map([DecodeTask(ImageRef("red.jpg"), SPEC, shop)])
    (_, first), *others = decoders.map(DecodeTask(ImageRef(uri), SPEC, bucket) for uri in uris)
    assert isinstance(first, Decoded)
    assert isinstance(local, Decoded)
    assert first.content_hash == local.content_hash
    assert [reason(outcome) for _, outcome in others] == [
        Reason.UNSUPPORTED_FORMAT,
        Reason.EMPTY,
        Reason.MISSING,
        Reason.OUTSIDE_ROOT,
        Reason.NOT_HTTPS,
    ]


def test_files_of_a_web_catalogue_go_through_the_fetcher(decoders: DecoderPool) -> None:
    ((_, outcome),) = decoders.map([DecodeTask(ImageRef("a.jpg"), SPEC, Remote("https://127.0.0.1/feed"))])
    assert reason(outcome) == Reason.FORBIDDEN_ADDRESS


def test_urls_that_lead_inwards_are_rejected_among_the_others(decoders: DecoderPool) -> None:
    tasks = [DecodeTask(ImageRef("https://127.0.0.1/a.jpg"), SPEC), DecodeTask(GOOD, SPEC)]
    (_, first), (_, second) = decoders.map(tasks)
    assert reason(first) == Reason.FORBIDDEN_ADDRESS
    assert isinstance(second, Decoded)


def test_tasks_are_read_only_a_little_ahead(decoders: DecoderPool) -> None:
    asked = 0

    def endless() -> Iterator[DecodeTask]:
        nonlocal asked
        while True:
            asked += 1
            yield DecodeTask(GOOD, SPEC)

    outcomes = decoders.map(endless())
    for _ in range(5):
        next(outcomes)
    assert asked <= 5 + 9


def test_a_batch_can_be_decoded_ahead(decoders: DecoderPool) -> None:
    asked = 0

    def many() -> Iterator[DecodeTask]:
        nonlocal asked
        for _ in range(60):
            asked += 1
            yield DecodeTask(GOOD, SPEC)

    outcomes = decoders.map(many(), ahead=40)
    next(outcomes)
    assert asked == 41
    assert len(list(outcomes)) == 59


def test_threads_share_the_pool(decoders: DecoderPool) -> None:
    found: list[Decoded] = []

    def ask() -> None:
        found.append(decoders.decode(DecodeTask(GOOD, SPEC)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8


def test_an_image_that_takes_too_long_is_given_up_alone() -> None:
    with DecoderPool(LIMITS, seconds=1.5, children=1) as pool:
        pool.decode(DecodeTask(GOOD, SPEC))
        outcomes = [
            outcome for _, outcome in pool.map([DecodeTask(content, SPEC) for content in (HANGING, GOOD, GOOD)])
        ]
        assert reason(outcomes[0]) == Reason.DECODE_TIMEOUT
        assert all(isinstance(outcome, Decoded) for outcome in outcomes[1:])


def test_an_image_that_needs_too_much_memory_is_given_up_alone() -> None:
    with DecoderPool(LIMITS, seconds=20, children=1, memory_bytes=60 << 20) as pool:
        outcomes = decoded(pool, LARGE, GOOD)
        assert reason(outcomes[0]) == Reason.OUT_OF_MEMORY
        assert isinstance(outcomes[1], Decoded)


@pytest.mark.parametrize("blow", [signal.SIGSEGV, signal.SIGKILL])
def test_a_child_that_crashes_takes_one_image_with_it(blow: signal.Signals) -> None:
    before = children()
    with DecoderPool(LIMITS, seconds=20, children=1) as pool:
        pool.decode(DecodeTask(GOOD, SPEC))
        (victim,) = children() - before
        kill_at_work(victim, blow)
        outcomes = [
            outcome for _, outcome in pool.map([DecodeTask(content, SPEC) for content in (HANGING, GOOD, GOOD)])
        ]
        assert reason(outcomes[0]) == Reason.DECODE_FAILED
        assert all(isinstance(outcome, Decoded) for outcome in outcomes[1:])
    assert children() <= before


def test_an_idle_child_that_dies_is_replaced() -> None:
    before = children()
    with DecoderPool(LIMITS, seconds=20, children=1) as pool:
        pool.decode(DecodeTask(GOOD, SPEC))
        (victim,) = children() - before
        os.kill(victim, signal.SIGKILL)
        end = time.monotonic() + 60
        while victim in children():
            assert time.monotonic() < end
            time.sleep(0.01)
        assert pool.decode(DecodeTask(GOOD, SPEC)).width == 96


def test_a_path_without_a_root_is_the_caller_s_mistake(decoders: DecoderPool) -> None:
    with pytest.raises(ValueError, match="root"):
        decoders.decode(DecodeTask(ImageRef("red.jpg"), SPEC))
    ((_, outcome),) = decoders.map([DecodeTask(ImageRef("http://shop.example/a.jpg"), SPEC)])
    assert reason(outcome) == Reason.NOT_HTTPS


def test_without_a_fetcher_urls_are_rejected() -> None:
    with DecoderPool(LIMITS, seconds=5, children=1) as pool, pytest.raises(ImageRejected, match="not fetched"):
        pool.decode(DecodeTask(ImageRef("https://shop.example/a.jpg"), SPEC))

import json
import logging
import multiprocessing
import os
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from indexer.domain import Pixels
from indexer.places import Place, Remote
from service.generate.cache import ImageCache
from service.generate.seam import Generated
from tests.indexer.images.drawn import png_chunk
from tests.service.generate.painters import drawn, fill, noise, photo, recipe

ROOM = 10_000_000


@pytest.fixture(params=["folder", "memory", "moved"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A directory that is not there yet, an object store, and storage that files are moved in."""
    if request.param == "folder":
        yield tmp_path / "not" / "there"
    elif request.param == "moved":
        yield Remote(f"file://{tmp_path}/pictures")
    else:
        import fsspec

        yield Remote("memory://pictures/drawn")
        fsspec.filesystem("memory").store.clear()


def saved(
    pixels: Pixels, told: str | None, compressed: bool = False, keyword: str = "vitrine", **options: object
) -> bytes:
    chunks = PngInfo()
    if told is not None:
        chunks.add_itxt(keyword, told, zip=compressed)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", pnginfo=chunks, **options)
    return stream.getvalue()


def provenance(picture: Generated) -> str:
    return picture.provenance.model_dump_json()


def test_what_was_put_is_got_with_how_it_came_about(place: Place) -> None:
    picture = drawn(recipe(instruction="mais bleu — 青"), photo("blue"))
    ImageCache(place, ROOM).put(picture)
    got = ImageCache(place, ROOM).get(picture.id)
    assert got is not None
    assert np.array_equal(got.pixels, picture.pixels)
    assert got.provenance == picture.provenance


def test_what_was_not_put_is_missed_in_silence(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    assert ImageCache(place, ROOM).get("0" * 64) is None
    assert caplog.messages == []


def test_the_file_is_a_picture_for_everybody_and_says_how_it_came_about(tmp_path: Path) -> None:
    picture = noise(1)
    ImageCache(tmp_path, ROOM).put(picture)
    with Image.open(tmp_path / f"{picture.id}.png") as image:
        assert np.array_equal(np.asarray(image), picture.pixels)
        assert json.loads(image.info["vitrine"])["recipe"]["instruction"] == "but blue"


def test_those_put_longest_ago_go_when_there_are_too_many(place: Place) -> None:
    cache = ImageCache(place, 40_000)
    pictures = [noise(seed) for seed in range(4)]
    for picture in pictures:
        cache.put(picture)
        time.sleep(0.01)
    assert [cache.get(picture.id) is not None for picture in pictures] == [False, True, True, True]


def test_of_a_directory_those_used_longest_ago_go(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path, 40_000)
    pictures = [noise(seed) for seed in range(4)]
    for age, picture in enumerate(pictures[:3]):
        cache.put(picture)
        os.utime(tmp_path / f"{picture.id}.png", (1000 + age, 1000 + age))
    assert cache.get(pictures[0].id)
    cache.put(pictures[3])
    assert [cache.get(picture.id) is not None for picture in pictures] == [True, False, True, True]


def test_a_picture_larger_than_the_cache_displaces_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = ImageCache(tmp_path, 20_000)
    cache.put(noise(0))
    cache.put(noise(1, side=128))
    assert cache.get(noise(0).id)
    assert "too large" in caplog.messages[0]


def test_several_processes_share_a_cache_and_its_bound(tmp_path: Path) -> None:
    other = multiprocessing.get_context("spawn").Process(target=fill, args=(tmp_path, 60_000, 0))
    other.start()
    while other.is_alive():
        fill(tmp_path, 60_000, 100)
    other.join()
    left = list(tmp_path.iterdir())
    assert other.exitcode == 0
    assert {path.suffix for path in left} == {".png"}
    assert 0 < sum(path.stat().st_size for path in left) <= 60_000


def test_leftovers_of_the_dead_are_cleared_and_strangers_files_are_not(tmp_path: Path) -> None:
    leftover, fresh = (tmp_path / f"{'0' * 64}.png.{name}.tmp" for name in ("0abc", "1abc"))
    stranger = tmp_path / "holiday.png"
    for path in (leftover, fresh, stranger):
        path.write_bytes(b"x" * 50_000)
    for path in (leftover, stranger):
        os.utime(path, (1000, 1000))
    ImageCache(tmp_path, 20_000).put(noise(1))
    assert not leftover.exists()
    assert fresh.exists()
    assert stranger.exists()


@pytest.mark.parametrize("id_", ["", "0" * 63, "0" * 65, "G" * 64, "../secret", "0" * 64 + "\n", "/" * 64])
def test_what_is_no_id_leads_to_no_path(tmp_path: Path, id_: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is read and refused is logged."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    assert ImageCache(tmp_path / "cache", ROOM).get(id_) is None
    assert caplog.messages == []


def test_what_is_no_file_ends_no_trimming(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in (f"{'0' * 64}.png", f"{'1' * 64}.png.0abc.tmp"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1000, 1000))
    os.mkfifo(tmp_path / f"{'2' * 64}.png")
    cache = ImageCache(tmp_path, 20_000)
    for seed in range(3):
        cache.put(noise(seed))
    assert sum(path.is_file() for path in tmp_path.iterdir()) == 1
    assert cache.get(noise(2).id)
    assert caplog.messages == []


def test_what_cannot_be_removed_stays_and_the_next_oldest_goes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    cache = ImageCache(Remote("memory://pictures/held"), 40_000)
    remove = MemoryFileSystem.rm_file

    def refuse(store: MemoryFileSystem, path: str) -> None:
        if noise(0).id in path:
            raise PermissionError(path)
        remove(store, path)

    monkeypatch.setattr(MemoryFileSystem, "rm_file", refuse)
    for seed in range(5):
        cache.put(noise(seed))
        time.sleep(0.01)
    assert [cache.get(noise(seed).id) is not None for seed in range(5)] == [True, False, False, True, True]
    assert caplog.messages == []
    MemoryFileSystem.store.clear()


def test_a_pipe_in_the_place_of_a_picture_is_not_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache, path = ImageCache(tmp_path, ROOM), tmp_path / f"{noise(1).id}.png"
    os.mkfifo(path)
    reader = threading.Thread(target=cache.get, args=(noise(1).id,), daemon=True)
    reader.start()
    reader.join(30)
    assert not reader.is_alive()
    assert "is no file" in caplog.messages[0]
    cache.put(noise(1))
    assert cache.get(noise(1).id)


def bomb(picture: Generated) -> bytes:
    """A header of 60,000 pixels a side before a few bytes."""
    content = saved(picture.pixels, provenance(picture))
    header = (60_000).to_bytes(4, "big") * 2 + content[24:29]
    return content[:8] + png_chunk(b"IHDR", header) + content[33:]


HOSTILE: dict[str, Callable[[Generated], bytes]] = {
    "empty": lambda picture: b"",
    "text": lambda picture: b"no picture at all, but longer than a header",
    "cut off": lambda picture: saved(picture.pixels, provenance(picture))[:-3000],
    "another recipe": lambda picture: saved(picture.pixels, provenance(noise(2))),
    "altered recipe": lambda picture: saved(picture.pixels, provenance(picture).replace("but blue", "but red")),
    "no provenance": lambda picture: saved(picture.pixels, None),
    "another keyword": lambda picture: saved(picture.pixels, provenance(picture), keyword="Comment"),
    "no JSON": lambda picture: saved(picture.pixels, "{"),
    "deep JSON": lambda picture: saved(picture.pixels, "[" * 100_000),
    "unknown fields": lambda picture: saved(picture.pixels, provenance(picture)[:-1] + ',"more":1}'),
    "no number": lambda picture: saved(picture.pixels, provenance(picture).replace("0.25", "NaN")),
    "no end of time": lambda picture: saved(picture.pixels, provenance(picture).replace("0.25", "1e999")),
    "a negative time": lambda picture: saved(picture.pixels, provenance(picture).replace("0.25", "-1")),
    "a negative price": lambda picture: saved(
        picture.pixels, provenance(picture).replace('"dollars":0.0', '"dollars":-5')
    ),
    "long provenance": lambda picture: saved(picture.pixels, provenance(picture) + " " * 300_000),
    "provenance that inflates": lambda picture: saved(picture.pixels, " " * 20_000_000, compressed=True),
    "decompression bomb": bomb,
    "greys": lambda picture: saved(picture.pixels[..., 0], provenance(picture)),
    "transparency": lambda picture: saved(np.dstack([picture.pixels, picture.pixels[..., :1]]), provenance(picture)),
    "animation": lambda picture: saved(
        picture.pixels, provenance(picture), save_all=True, append_images=[Image.fromarray(255 - picture.pixels)]
    ),
    "another format": lambda picture: Image.fromarray(picture.pixels).tobytes()[:5000],
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_file_that_is_not_the_picture_is_a_miss_that_is_logged(
    tmp_path: Path, content: Callable[[Generated], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    picture = noise(1)
    cache = ImageCache(tmp_path, ROOM)
    (tmp_path / f"{picture.id}.png").write_bytes(content(picture))
    assert cache.get(picture.id) is None
    assert "is no good" in caplog.messages[0]
    cache.put(picture)
    assert cache.get(picture.id)


def test_a_file_of_any_length_is_read_to_a_bound_only(tmp_path: Path) -> None:
    path = tmp_path / f"{'0' * 64}.png"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    try:
        assert ImageCache(tmp_path, ROOM).get("0" * 64) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200 << 20


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 4000), st.binary(min_size=1, max_size=8))
def test_damage_anywhere_never_raises(tmp_path: Path, at: int, damage: bytes) -> None:
    logging.disable()
    picture = noise(1, side=32)
    content = saved(picture.pixels, provenance(picture))
    (tmp_path / f"{picture.id}.png").write_bytes(content[:at] + damage + content[at + len(damage) :])
    try:
        got = ImageCache(tmp_path, ROOM).get(picture.id)
    finally:
        logging.disable(logging.NOTSET)
    assert got is None or got.id == picture.id


def test_a_place_that_cannot_be_written_keeps_nothing_and_raises_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below", Remote("nobody-reads-this://pictures")):
        caplog.clear()
        cache = ImageCache(place, ROOM)
        cache.put(noise(1))
        assert cache.get(noise(1).id) is None
        assert "is not kept" in caplog.messages[0]


def test_a_picture_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """The name of the file is taken by a directory: the last step fails."""
    (tmp_path / f"{noise(1).id}.png").mkdir()
    ImageCache(tmp_path, ROOM).put(noise(1))
    assert [path.name for path in tmp_path.iterdir()] == [f"{noise(1).id}.png"]

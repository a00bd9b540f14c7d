"""The embedding cache in object storage, mirrored by every host that uses it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from indexer.builds.cache import MERGE_ABOVE, EmbeddingCache
from indexer.builds.embeddings import Embeddings, text_key
from indexer.errors import SettingsError, StoreMismatch, StoreUnavailable
from tests.fakes import FakeEncoder
from tests.indexer.builds.cached import DIM, holds, key, keys, put, segments


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Empty storage: one that puts whole objects, and one where a file must be moved to its name."""
    if request.param == "file":
        yield (tmp_path / "storage").as_uri()
        return
    yield "memory://cache/of/one"
    fsspec.filesystem("memory").rm("/cache", recursive=True)


def stored(url: str) -> list[str]:
    files, root = fsspec.url_to_fs(url)
    return sorted(files.ls(root, detail=False))


def flip(url: str, path: str, where: float = 0.9) -> None:
    files, _ = fsspec.url_to_fs(url)
    content = bytearray(files.cat_file(path))
    content[int(len(content) * where)] ^= 0xFF
    files.pipe_file(path, bytes(content))


def test_what_one_host_adds_another_finds(url: str, tmp_path: Path) -> None:
    one, other = (EmbeddingCache(tmp_path / host, DIM, url) for host in ("one", "other"))
    assert one.missing(keys("ab")) == keys("ab")
    put(one, "a")
    assert holds(other, "a")
    put(other, "b")

    assert holds(one, "ab")
    assert holds(EmbeddingCache(tmp_path / "third", DIM, url), "ab")
    assert (one.rows, other.rows) == (2, 2)
    assert one.bytes == sum(segment.stat().st_size for segment in segments(tmp_path / "one"))


def test_equal_content_is_kept_once(url: str, tmp_path: Path) -> None:
    for host in ("one", "other"):
        cache = EmbeddingCache(tmp_path / host, DIM, url)
        put(cache, "a", "b")
        put(cache, "a", "b")
        assert cache.rows == 2

    assert len(stored(url)) == 1


def test_nothing_is_fetched_before_it_is_asked_for_and_nothing_twice(url: str, tmp_path: Path) -> None:
    put(EmbeddingCache(tmp_path / "one", DIM, url), "a")
    cache = EmbeddingCache(tmp_path / "other", DIM, url)
    assert segments(tmp_path / "other") == []
    assert holds(cache, "a")
    (mirrored,) = segments(tmp_path / "other")
    inode = mirrored.stat().st_ino

    assert holds(EmbeddingCache(tmp_path / "other", DIM, url), "a")
    assert mirrored.stat().st_ino == inode


def test_two_hosts_that_write_and_merge_at_once_lose_nothing(url: str, tmp_path: Path) -> None:
    one, other = (EmbeddingCache(tmp_path / host, DIM, url) for host in ("one", "other"))
    for number in range(MERGE_ABOVE):
        put(one, f"one {number}")
        put(other, f"other {number}")
    names = [f"{host} {number}" for host in ("one", "other") for number in range(MERGE_ABOVE)]

    assert len(stored(url)) <= MERGE_ABOVE
    for cache in (one, other, EmbeddingCache(tmp_path / "third", DIM, url)):
        assert holds(cache, names)


def test_a_mirror_gives_up_what_was_merged_elsewhere(url: str, tmp_path: Path) -> None:
    writer, reader = (EmbeddingCache(tmp_path / host, DIM, url) for host in ("writer", "reader"))
    names = range(MERGE_ABOVE + 1)
    for name in names:
        assert len(segments(tmp_path / "reader")) == name
        put(writer, name)
        reader.refresh()

    assert len(segments(tmp_path / "reader")) == 1
    assert reader.rows == len(names)
    assert holds(reader, names)


@pytest.mark.parametrize("where", [0.001, 0.3, 0.6, 0.999])
def test_a_damaged_file_of_the_mirror_is_fetched_again(url: str, tmp_path: Path, where: float) -> None:
    put(EmbeddingCache(tmp_path / "mirror", DIM, url), *range(10))
    (mirrored,) = segments(tmp_path / "mirror")
    flip("file://", str(mirrored), where)

    assert holds(EmbeddingCache(tmp_path / "mirror", DIM, url), range(10))


def test_half_a_file_in_the_mirror_is_fetched_again(url: str, tmp_path: Path) -> None:
    put(EmbeddingCache(tmp_path / "mirror", DIM, url), *range(10))
    (mirrored,) = segments(tmp_path / "mirror")
    mirrored.write_bytes(mirrored.read_bytes()[:100])

    assert holds(EmbeddingCache(tmp_path / "mirror", DIM, url), range(10))


def test_a_damaged_object_is_refused_by_its_name(url: str, tmp_path: Path) -> None:
    put(EmbeddingCache(tmp_path / "one", DIM, url), *range(10))
    (path,) = stored(url)
    flip(url, path)
    cache = EmbeddingCache(tmp_path / "other", DIM, url)

    with pytest.raises(StoreMismatch, match=f"{url}/{Path(path).name} is damaged; delete it"):
        cache.missing([key(0)])
    assert list((tmp_path / "other").iterdir()) == []


def test_a_storage_without_a_driver_is_refused_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"No driver for oss://\*\*\*@bucket .*pip install"):
        EmbeddingCache(tmp_path, DIM, "oss://key:s3cret@bucket")


def test_a_storage_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="floppy://drive is no place for embeddings"):
        EmbeddingCache(tmp_path, DIM, "floppy://drive")


class Flaky(MemoryFileSystem):  # type: ignore[misc]
    """Storage that fails as often as it is told."""

    protocol = "flaky"
    failures: float = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        stripped: str = super()._strip_protocol(path.removeprefix("flaky://user:s3cret@"))
        return stripped

    def ls(self, path: str, detail: bool = True) -> list[str]:
        self.fail()
        names: list[str] = super().ls(path, detail)
        return names

    def pipe_file(self, path: str, value: bytes) -> None:
        self.fail()
        super().pipe_file(path, value)

    @classmethod
    def fail(cls) -> None:
        if cls.failures > 0:
            cls.failures -= 1
            raise ConnectionResetError("connection reset")


FLAKY = "flaky://user:s3cret@flaky"


@pytest.fixture(autouse=True, scope="module")
def _flaky() -> None:
    fsspec.register_implementation("flaky", Flaky)


def test_storage_that_answers_at_the_second_try_is_used(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM, FLAKY)
    Flaky.failures = 1
    assert cache.missing([key("a")]) == [key("a")]
    Flaky.failures = 1
    put(cache, "a")

    assert holds(EmbeddingCache(tmp_path / "other", DIM, FLAKY), "a")


def test_storage_that_does_not_answer_is_unavailable_for_as_long(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM, FLAKY)
    Flaky.failures = float("inf")
    with pytest.raises(StoreUnavailable, match=r"flaky://\*\*\*@flaky.* is unavailable: connection reset\. "):
        cache.missing([key("b")])

    Flaky.failures = 0
    put(cache, "b")
    assert holds(cache, "b")


def test_a_mirror_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "mirror").write_text("no directory")
    put(EmbeddingCache(tmp_path / "one", DIM, FLAKY), "c")

    with pytest.raises(StoreUnavailable, match=f"cannot write in {tmp_path / 'mirror'}: File exists"):
        EmbeddingCache(tmp_path / "mirror", DIM, FLAKY).get([key("c")])


def test_the_files_of_a_cache_may_be_copied_to_storage_and_back(tmp_path: Path) -> None:
    put(EmbeddingCache(tmp_path / "home", DIM), "a")
    shutil.copytree(tmp_path / "home", tmp_path / "storage")
    cache = EmbeddingCache(tmp_path / "mirror", DIM, (tmp_path / "storage").as_uri())
    assert holds(cache, "a")
    put(cache, "b")

    shutil.copytree(tmp_path / "storage", tmp_path / "back")
    back = EmbeddingCache(tmp_path / "back", DIM)
    put(back, "c")
    assert holds(back, "abc")


@pytest.mark.parametrize("kind", ["home", "directory", "storage"])
def test_the_embeddings_of_an_encoder_are_kept_where_the_url_says(tmp_path: Path, kind: str) -> None:
    encoder = FakeEncoder()
    url = {"home": None, "directory": str(tmp_path / "kept"), "storage": (tmp_path / "kept").as_uri()}[kind]
    texts = Embeddings(tmp_path / "home", encoder.spec.identity, url).texts
    texts.put([text_key("red mug")], encoder.encode_texts(["red mug"]))

    kept = tmp_path / ("home" if kind == "home" else "kept")
    assert len(list(kept.rglob("*.safetensors"))) == 1
    found = Embeddings(tmp_path / "home", encoder.spec.identity, url).of_texts(["red mug"])
    assert found.shape == (1, encoder.spec.dim)

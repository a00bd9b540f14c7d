from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from fsspec import register_implementation
from fsspec.implementations.memory import MemoryFileSystem

from indexer.errors import SettingsError, SourceError
from indexer.places import Held, Remote, place_of, why


@pytest.mark.parametrize("text", ["products.csv", "/data/a b.csv", "C:/x.csv", "data:x", "10:30/p.csv"])
def test_what_is_no_address_is_a_path(text: str) -> None:
    assert place_of(text) == Path(text)


def test_a_file_s_address_is_its_path() -> None:
    assert place_of("file:///data/a%20b.csv") == Path("/data/a b.csv")
    with pytest.raises(SourceError, match="another machine"):
        place_of("file://other/data/p.csv")


@pytest.mark.parametrize(
    ("url", "parent", "name"),
    [
        ("s3://bucket/shop/products.parquet", "s3://bucket/shop", "products.parquet"),
        ("s3://bucket/products.csv", "s3://bucket", "products.csv"),
        ("s3://bucket", "s3://bucket", "bucket"),
        ("gs://bucket/what?#.csv", "gs://bucket", "what?#.csv"),
        ("https://shop.example/feed/all.xml?lang=de", "https://shop.example/feed", "all.xml"),
    ],
)
def test_an_address_has_a_folder_and_a_name(url: str, parent: str, name: str) -> None:
    place = place_of(url)
    assert isinstance(place, Remote)
    assert (str(place), str(place.parent), place.name) == (url, parent, name)


def test_what_is_in_a_folder_of_the_web_is_escaped_where_it_must_be() -> None:
    assert (
        str(Remote("https://shop.example/feed/") / "a b%20ü#1.jpg")
        == "https://shop.example/feed/a%20b%20%C3%BC%231.jpg"
    )
    assert str(Remote("s3://bucket/shop") / "a b#1.jpg") == "s3://bucket/shop/a b#1.jpg"


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIA123:hunter2@bucket/p.csv",
        "https://ann:hunter2@shop.example/p.csv",
        "https://hunter2@shop.example/p.csv",
        "sftp://ann:hunter2@host/p.csv",
        "https://bucket.s3.example/p.csv?X-Amz-Expires=60&X-Amz-Signature=hunter2",
        "https://shop.example/p.csv?token=hunter2",
        "https://shop.example/p.csv?t=hunter2hunter2hunter2hunter2",
    ],
)
def test_an_address_with_a_secret_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SourceError, match="stored and shown") as caught:
        place_of(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["simplecache::s3://b/p.csv", "zip://p.csv::s3://b/a.zip", "http://shop.example/p.csv", "s3://"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(SourceError, match=r"is not one address|over http"):
        place_of(url)


def test_a_scheme_that_nobody_reads_is_told() -> None:
    with pytest.raises(SourceError, match="no way to read carrier-pigeon:// addresses"):
        Remote("carrier-pigeon://coop/p.csv").status()


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with (
        pytest.raises(SettingsError, match=r"run: pip install 'vitrine\[remote\]'"),
        Remote("s3://bucket/p.csv").open(),
    ):
        pass


def test_a_reason_holds_no_signature() -> None:
    error = OSError("403, url='https://bucket.example/p.csv?X-Amz-Signature=hunter2'")
    assert why(error) == "403, url='https://bucket.example/p.csv?…'"


@pytest.fixture(params=["put", "moved"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    """Nothing is in it yet; of storage whose puts are whole, and of such where files are moved to their name."""
    return Remote(f"memory://{uuid4().hex}/new" if request.param == "put" else f"file://{tmp_path}/new/folder")


def test_what_is_written_is_there_and_what_is_removed_is_gone(folder: Remote) -> None:
    assert folder.files() == []
    for content in (b"once", b"and again"):
        (folder / "a.png").write(content)
    (folder / "b.png").write(b"b")
    (folder / "below" / "c.png").write(b"c")
    assert (folder / "a.png").read(100) == b"and again"
    assert sorted((one.name, one.size) for one in folder.files()) == [("a.png", 9), ("b.png", 1)]
    assert all(abs(one.changed - datetime.now(UTC).timestamp()) < 60 for one in folder.files())
    (folder / "a.png").remove()
    assert [one.name for one in folder.files()] == ["b.png"]
    with pytest.raises(FileNotFoundError):
        (folder / "a.png").remove()


class Dated(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Drivers tell the time in several ways."""

    cachable = False
    told: Mapping[str, object]

    def ls(self, path: str, detail: bool = True, **_: object) -> Sequence[Mapping[str, object]]:
        return [{"name": f"{path}/a.png", "type": "file", "size": 1, **Dated.told}]


@pytest.mark.parametrize(
    ("told", "changed"),
    [
        ({"mtime": 12.5}, 12.5),
        ({"LastModified": datetime(1970, 1, 2, tzinfo=UTC)}, 86_400),
        ({"updated": "1970-01-02T00:00:00Z"}, 86_400),
        ({"updated": "yesterday"}, 0),
        ({}, 0),
    ],
)
def test_a_files_age_is_told_as_its_driver_tells_it(told: Mapping[str, object], changed: float) -> None:
    register_implementation("dated", Dated, clobber=True)
    Dated.told = told
    assert Remote("dated://shop").files() == [Held("a.png", 1, changed)]

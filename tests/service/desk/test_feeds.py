"""Which catalogue files the desk takes, and from where."""

from io import BytesIO
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.errors import SourceError
from indexer.settings import Settings
from service.desk.choosing import shown_name
from service.desk.feeds import KEPT, Feeds
from tests.schema import write_schema
from tests.service.worlds import settings_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "given").mkdir()
    write_schema(tmp_path / "home" / "vitrine.db")
    return settings_of(tmp_path / "home", pages={"max_feed_bytes": 1_000, "sources": [tmp_path / "given"]})


@pytest.fixture
def feeds(settings: Settings) -> Feeds:
    return Feeds(open_catalogue(settings), settings)


def test_a_file_is_kept_once_under_its_content(feeds: Feeds, settings: Settings) -> None:
    first = feeds.keep(BytesIO(b"id,title\n1,Hat\n"), "hats.csv")
    again = feeds.keep(BytesIO(b"id,title\n1,Hat\n"), "hats.csv")
    other = feeds.keep(BytesIO(b"id,title\n2,Cap\n"), "hats.csv")

    assert first == again != other
    assert first.read_bytes() == b"id,title\n1,Hat\n"
    assert first.parent == settings.home / "feeds"
    assert shown_name(str(first)) == "hats.csv"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\hats.csv", "hats.csv"),
        ("Hüte & Mützen.csv", "H-te-M-tzen.csv"),
        (".csv.csv", "csv.csv"),
        ("x" * 300 + ".jsonl.gz", "x" * 51 + ".jsonl.gz"),
    ],
)
def test_names_are_made_harmless(feeds: Feeds, settings: Settings, name: str, kept: str) -> None:
    path = feeds.keep(BytesIO(b"content"), name)
    assert path.parent == settings.home / "feeds"
    assert shown_name(str(path)) == kept


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "hats.csv", "empty"),
        (b"x" * 1_001, "hats.csv", "pages.max_feed_bytes"),
        (b"x", "hats.exe", "no known format"),
        (b"x", "", "no known format"),
        (b"x", "hats.csv\0.png", "no known format"),
    ],
)
def test_what_is_no_catalogue_is_refused_and_leaves_nothing(
    feeds: Feeds, settings: Settings, content: bytes, name: str, told: str
) -> None:
    with pytest.raises(SourceError, match=told):
        feeds.keep(BytesIO(content), name)
    assert list((settings.home / "feeds").glob("*")) == []


def test_files_that_nothing_was_built_from_make_room(feeds: Feeds, settings: Settings) -> None:
    kept = [feeds.keep(BytesIO(f"{number}".encode()), "hats.csv") for number in range(KEPT + 5)]
    assert kept[-1].exists()
    assert len(list((settings.home / "feeds").iterdir())) <= KEPT + 1


@pytest.mark.parametrize("inside", ["{given}/hats.csv", "{given}/deep/hats.csv", "{home}/feeds/hats.csv"])
def test_files_of_the_named_folders_may_be_read(feeds: Feeds, tmp_path: Path, inside: str) -> None:
    feeds.demand_allowed(inside.format(given=tmp_path / "given", home=tmp_path / "home"), None)


@pytest.mark.parametrize(
    "outside",
    [
        "/etc/passwd",
        "{given}/../secret.csv",
        "{given}-beside/hats.csv",
        "{given}/link/hats.csv",
        "s3://bucket/hats.csv",
        "https://example.com/hats.csv",
        "file:///etc/passwd",
        "",
    ],
)
def test_others_may_not_whether_they_are_there_or_not(feeds: Feeds, tmp_path: Path, outside: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "given" / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match=r"pages\.sources"):
        feeds.demand_allowed(outside.format(given=tmp_path / "given"), None)
    with pytest.raises(SourceError, match=r"pages\.sources"):
        feeds.demand_allowed(str(tmp_path / "given" / "hats.csv"), outside.format(given=tmp_path / "given"))


def test_what_was_built_before_may_be_built_again(home: Path) -> None:
    settings = settings_of(home)
    feeds = Feeds(open_catalogue(settings), settings)
    (known,) = feeds.known()

    feeds.demand_allowed(known.source, known.root)
    with pytest.raises(SourceError):
        feeds.demand_allowed(str(Path(known.source).parent / "another.csv"), None)


@pytest.mark.parametrize("address", ["https://127.0.0.1/hats.csv", "https://[::1]/x", "http://example.com/hats.csv"])
def test_addresses_that_are_nobody_elses_business_are_not_fetched(feeds: Feeds, address: str) -> None:
    with pytest.raises(SourceError, match="cannot be fetched"):
        feeds.fetch(address)

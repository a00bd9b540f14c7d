"""Catalogue files with their photos, in an archive or beside each other."""

import stat
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from indexer.errors import SourceError
from service.desk.parcels import lay_out, unpack

FEED = ("hats.csv", b"id,title,images\nhat,Hat,photos/hat.png\n")
PHOTO = ("photos/hat.png", b"picture")
MOST = 10_000


def packed(*entries: tuple[str | ZipInfo, bytes]) -> BytesIO:
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    content.seek(0)
    return content


def link(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def test_an_archive_is_unpacked_as_it_was_packed(tmp_path: Path) -> None:
    laid = unpack(packed(("spring/hats.csv", FEED[1]), ("spring/photos/hat.png", b"picture")), tmp_path, MOST)
    assert laid.feed == tmp_path / "spring" / "hats.csv"
    assert (laid.feed.parent / "photos" / "hat.png").read_bytes() == b"picture"


def test_what_systems_add_on_their_own_is_left_alone(tmp_path: Path) -> None:
    unpack(packed(FEED, ("__MACOSX/._hats.csv", b"x"), (".DS_Store", b"x"), ("photos/Thumbs.db", b"x")), tmp_path, MOST)
    assert [path.name for path in tmp_path.rglob("*")] == ["hats.csv"]


def test_equal_content_has_an_equal_digest(tmp_path: Path) -> None:
    digests = []
    for number, entries in enumerate([(FEED, PHOTO), (FEED, PHOTO), (FEED, ("photos/hat.png", b"another"))]):
        (tmp_path / str(number)).mkdir()
        digests.append(unpack(packed(*entries), tmp_path / str(number), MOST).digest)
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([("../hats.csv", b"x")], "plain name"),
        ([("/etc/hats.csv", b"x")], "plain name"),
        ([FEED, ("photos/../../../x.png", b"x")], "plain name"),
        ([FEED, ("a/" * 20 + "x.png", b"x")], "plain name"),
        ([FEED, ("x" * 300 + ".png", b"x")], "plain name"),
        ([FEED, (link("photos/hat.png"), b"/etc/passwd")], "a link"),
        ([FEED, ("run.sh", b"x")], "neither a catalogue file nor a photo"),
        ([FEED, ("inner.zip", b"x")], "neither a catalogue file nor a photo"),
        ([FEED, ("more.csv", b"x")], "2 catalogue files"),
        ([PHOTO], "0 catalogue files"),
        ([FEED, ("photos", b"x"), PHOTO], "neither"),
        ([FEED, ("a.png", b"x"), ("a.png/b.png", b"x")], "its own name"),
        ([FEED, ("bomb.png", b"\0" * 1_000_000)], "pages.max_feed_bytes"),
    ],
)
def test_what_may_not_be_unpacked_is_refused(
    tmp_path: Path, entries: list[tuple[str | ZipInfo, bytes]], told: str
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(SourceError, match=told):
        unpack(packed(*entries), inside, MOST)
    assert [path for path in tmp_path.rglob("*") if inside not in (path, *path.parents)] == []
    assert not any(path.is_symlink() for path in inside.rglob("*"))


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"no archive at all"])
def test_what_is_no_archive_is_told(tmp_path: Path, damage: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be unpacked"):
        unpack(BytesIO(damage), tmp_path, MOST)


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    content = packed(FEED, ("hat.png", bytes(range(256)) * 20)).getvalue()
    with pytest.raises(SourceError, match="cannot be unpacked"):
        unpack(BytesIO(content[:60] + b"\xff" * 20 + content[80:]), tmp_path, MOST)


def test_photos_are_laid_beside_their_catalogue(tmp_path: Path) -> None:
    laid = lay_out(
        (FEED[0], BytesIO(FEED[1])),
        [("C:\\photos\\hat.png", BytesIO(b"picture")), ("../cap.jpg", BytesIO(b"other"))],
        tmp_path,
        MOST,
    )
    assert laid.feed.read_bytes() == FEED[1]
    assert {path.name for path in tmp_path.iterdir()} == {"hats.csv", "hat.png", "cap.jpg"}


@pytest.mark.parametrize(
    ("names", "told"), [(["x.exe"], "neither"), (["a.png", "b/a.png"], "its own name"), (["big.png"], "max_feed_bytes")]
)
def test_what_may_not_lie_beside_it_is_refused(tmp_path: Path, names: list[str], told: str) -> None:
    photos = [(name, BytesIO(b"x" * (MOST + 1 if name == "big.png" else 1))) for name in names]
    with pytest.raises(SourceError, match=told):
        lay_out((FEED[0], BytesIO(FEED[1])), photos, tmp_path, MOST)

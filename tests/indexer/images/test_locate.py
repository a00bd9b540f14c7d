import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from indexer.domain import ImageRef
from indexer.errors import ImageRejected
from indexer.images.locate import address_inside, is_url, read_local, read_remote, source_stamp
from indexer.images.reasons import Reason
from indexer.places import Remote


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A catalogue's folder beside something that is none of its business."""
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    root = tmp_path / "shop"
    (root / "images").mkdir(parents=True)
    (root / "images" / "a b ü.jpg").write_bytes(b"photo")
    (root / "images" / "linked.jpg").symlink_to("a b ü.jpg")
    (root / "more").symlink_to("images")
    (root / "out.jpg").symlink_to("../secret.jpg")
    (root / "up").symlink_to("..")
    (root / "loop").symlink_to("loop")
    (root / "gone.jpg").symlink_to("images/never.jpg")
    os.mkfifo(root / "pipe.jpg")
    return root


def refused(root: Path, uri: str, max_bytes: int = 100) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        read_local(root, uri, max_bytes)
    return caught.value


@pytest.mark.parametrize("uri", ["images/a b ü.jpg", "./images//a b ü.jpg", "images/linked.jpg", "more/a b ü.jpg"])
def test_files_inside_are_read(shop: Path, uri: str) -> None:
    assert read_local(shop, uri, 5) == b"photo"
    assert source_stamp(ImageRef(uri), shop).endswith(":5")


def test_the_root_may_be_a_link_itself(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(shop)
    assert read_local(tmp_path / "alias", "images/a b ü.jpg", 100) == b"photo"


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("../secret.jpg", Reason.OUTSIDE_ROOT),
        ("images/../../secret.jpg", Reason.OUTSIDE_ROOT),
        ("images/../images/a b ü.jpg", Reason.OUTSIDE_ROOT),
        ("/etc/passwd", Reason.OUTSIDE_ROOT),
        ("//server/share/a.jpg", Reason.OUTSIDE_ROOT),
        ("\\\\server\\share\\a.jpg", Reason.OUTSIDE_ROOT),
        ("images\\a.jpg", Reason.OUTSIDE_ROOT),
        ("C:/photos/a.jpg", Reason.OUTSIDE_ROOT),
        ("c:a.jpg", Reason.OUTSIDE_ROOT),
        ("images/a.jpg\0.png", Reason.OUTSIDE_ROOT),
        ("out.jpg", Reason.OUTSIDE_ROOT),
        ("up/secret.jpg", Reason.OUTSIDE_ROOT),
        ("up/shop/images/../../secret.jpg", Reason.OUTSIDE_ROOT),
        ("IMAGES/a b ü.jpg", Reason.MISSING),
        ("images/never.jpg", Reason.MISSING),
        ("images/a b ü.jpg/more", Reason.MISSING),
        ("gone.jpg", Reason.MISSING),
        ("loop", Reason.NOT_A_FILE),
        ("x" * 300 + ".jpg", Reason.MISSING),
        ("images/\udcff.jpg", Reason.MISSING),
        ("", Reason.NOT_A_FILE),
        (".", Reason.NOT_A_FILE),
        ("images", Reason.NOT_A_FILE),
        ("images/", Reason.NOT_A_FILE),
        ("pipe.jpg", Reason.NOT_A_FILE),
        ("http://shop.example/a.jpg", Reason.NOT_HTTPS),
        ("ftp://shop.example/a.jpg", Reason.NOT_HTTPS),
        ("file:///etc/passwd", Reason.NOT_HTTPS),
        ("FILE:/etc/passwd", Reason.NOT_HTTPS),
        ("data:image/png;base64,iVBORw0KGgo=", Reason.NOT_HTTPS),
        ("s3://bucket/a.jpg", Reason.NOT_HTTPS),
    ],
)
def test_everything_else_is_refused_by_name(shop: Path, uri: str, reason: Reason) -> None:
    started = time.monotonic()
    assert refused(shop, uri).reason == reason
    assert time.monotonic() - started < 10
    if reason in (Reason.OUTSIDE_ROOT, Reason.MISSING):
        with pytest.raises(ImageRejected):
            source_stamp(ImageRef(uri), shop)


def test_devices_and_sockets_are_no_files(shop: Path) -> None:
    address = shop / "s.jpg"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        assert refused(shop, "s.jpg").reason == Reason.NOT_A_FILE
    assert refused(Path("/dev"), "null").reason == Reason.NOT_A_FILE


def test_a_large_file_is_refused_unread(shop: Path) -> None:
    (shop / "large.jpg").write_bytes(b"")
    os.truncate(shop / "large.jpg", 1 << 40)
    assert refused(shop, "large.jpg").reason == Reason.TOO_LARGE_BYTES
    assert refused(shop, "images/a b ü.jpg", 4).reason == Reason.TOO_LARGE_BYTES


def test_a_file_that_may_not_be_read(shop: Path) -> None:
    """As root permissions do not bind: an unprivileged child has to try."""
    (shop / "images" / "a b ü.jpg").chmod(0)
    if os.geteuid() != 0:
        assert refused(shop, "images/a b ü.jpg").reason == Reason.UNREADABLE
        return
    for folder in (shop, *shop.parents[:3]):
        folder.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            read_local(shop, "images/a b ü.jpg", 100)
        except ImageRejected as error:
            os._exit(0 if error.reason == Reason.UNREADABLE else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_stamp_changes_with_the_file_and_urls_have_none(shop: Path) -> None:
    photo = shop / "images" / "a b ü.jpg"
    before = source_stamp(ImageRef("images/linked.jpg"), shop)
    os.utime(photo, ns=(1, 1))
    assert source_stamp(ImageRef("images/linked.jpg"), shop) == "1:5" != before
    assert source_stamp(ImageRef("https://shop.example/a.jpg"), shop) == ""
    assert is_url("https://shop.example/a.jpg")
    assert not is_url("images/10:30.jpg")


@pytest.fixture
def bucket() -> Iterator[Remote]:
    """A catalogue's folder in a bucket, beside something that is none of its business."""
    files, place = MemoryFileSystem(), Remote(f"memory://{uuid4().hex}/shop")
    files.pipe_file(str(place.parent / "secret.jpg"), b"secret")
    files.pipe_file(str(place / "images/a b ü.jpg"), b"photo")
    yield place
    files.rm(str(place.parent), recursive=True)


@pytest.mark.parametrize("uri", ["images/a b ü.jpg", "./images//a b ü.jpg"])
def test_files_in_a_bucket_are_read(bucket: Remote, uri: str) -> None:
    assert read_remote(address_inside(bucket, uri), 5) == b"photo"
    assert source_stamp(ImageRef(uri), bucket).endswith(":5")


def test_a_stamp_changes_with_the_file_in_a_bucket(bucket: Remote) -> None:
    before = source_stamp(ImageRef("images/a b ü.jpg"), bucket)
    assert source_stamp(ImageRef("images/a b ü.jpg"), bucket) == before
    MemoryFileSystem().pipe_file(str(bucket / "images/a b ü.jpg"), b"other")
    assert source_stamp(ImageRef("images/a b ü.jpg"), bucket) != before
    assert source_stamp(ImageRef("https://shop.example/a.jpg"), bucket) == ""


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("../secret.jpg", Reason.OUTSIDE_ROOT),
        ("images/../../secret.jpg", Reason.OUTSIDE_ROOT),
        ("/secret.jpg", Reason.OUTSIDE_ROOT),
        ("images\\a.jpg", Reason.OUTSIDE_ROOT),
        ("images/a.jpg\0.png", Reason.OUTSIDE_ROOT),
        ("images/never.jpg", Reason.MISSING),
        ("images", Reason.NOT_A_FILE),
        ("images/", Reason.NOT_A_FILE),
        ("", Reason.NOT_A_FILE),
        (".", Reason.NOT_A_FILE),
        ("memory://secret.jpg", Reason.NOT_HTTPS),
        ("s3://bucket/a.jpg", Reason.NOT_HTTPS),
        ("file:///etc/passwd", Reason.NOT_HTTPS),
    ],
)
def test_everything_else_is_refused_by_name_in_a_bucket_too(bucket: Remote, uri: str, reason: Reason) -> None:
    with pytest.raises(ImageRejected) as caught:
        read_remote(address_inside(bucket, uri), 100)
    assert caught.value.reason == reason
    if reason != Reason.NOT_HTTPS:
        with pytest.raises(ImageRejected, match=re.escape(str(caught.value))):
            source_stamp(ImageRef(uri), bucket)


def test_a_large_file_in_a_bucket_is_refused(bucket: Remote) -> None:
    with pytest.raises(ImageRejected) as caught:
        read_remote(address_inside(bucket, "images/a b ü.jpg"), 4)
    assert caught.value.reason == Reason.TOO_LARGE_BYTES


def test_paths_of_a_catalogue_on_the_web_are_addresses_inside_its_folder() -> None:
    web = Remote("https://shop.example/feed")
    assert str(address_inside(web, "./a b.jpg")) == "https://shop.example/feed/a%20b.jpg"
    for uri in ("%2e%2e/secret.jpg", "a/%2E%2E/b.jpg", "%5c%5cserver/a.jpg", "%2fetc/passwd"):
        with pytest.raises(ImageRejected, match="stay inside"):
            address_inside(web, uri)
    assert source_stamp(ImageRef("a.jpg"), web) == ""

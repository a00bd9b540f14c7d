"""Pictures in object storage, for those who answer shoppers meanwhile."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from indexer.breaker import Breaker
from indexer.places import Remote
from service.generate.bucket import Bucket
from tests.faults import storage


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with storage.storage() as url:
        bucket = Bucket(Remote(f"{url}/pictures"), seconds=30)
        yield bucket
        bucket.close()


def test_what_is_written_is_read(bucket: Bucket) -> None:
    bucket.write("a.png", b"picture")
    assert bucket.read("a.png", 100) == b"picture"
    assert [held.name for held in bucket.files()] == ["a.png"]
    bucket.remove("a.png")
    with pytest.raises(FileNotFoundError):
        bucket.read("a.png", 100)


def test_a_store_that_hangs_is_waited_for_no_longer_than_told_and_then_left_alone() -> None:
    begun = time.monotonic()
    with storage.storage() as url:
        bucket = Bucket(Remote(f"{url}/pictures"), Breaker(failures=2, rest_seconds=60), seconds=0.2)
        storage.go("slow")
        for _ in range(2):
            with pytest.raises(OSError, match=r"did not answer within 0\.2 s"):
                bucket.read("a.png", 100)
        with pytest.raises(OSError, match="left alone"):
            bucket.read("a.png", 100)
        assert time.monotonic() - begun < 20
        storage.mend()
        bucket.close()


def test_what_is_not_there_does_not_speak_against_the_store(bucket: Bucket) -> None:
    for _ in range(5):
        with pytest.raises(FileNotFoundError):
            bucket.read("nothing.png", 100)
    bucket.write("a.png", b"picture")


def test_a_process_ends_while_a_request_hangs() -> None:
    script = (
        "from tests.faults import storage\n"
        "from indexer.places import Remote\n"
        "from service.generate.bucket import Bucket\n"
        "with storage.storage() as url:\n"
        "    bucket = Bucket(Remote(f'{url}/pictures'), seconds=0.1)\n"
        "    storage.FaultyFiles.mended.wait = lambda seconds: __import__('time').sleep(600)\n"
        "    storage.go('slow')\n"
        "    try:\n"
        "        bucket.read('a.png', 100)\n"
        "    except OSError:\n"
        "        print('late')\n"
        "    bucket.close()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "late\n"

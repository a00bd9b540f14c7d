"""Whatever is uploaded as a photo is searched by, or refused for a named reason; nothing else happens."""

import multiprocessing
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from indexer.images.reasons import Reason
from service.problem_types import PREFIX
from tests.hostile.specimens.everything import FAMILIES, specimens
from tests.hostile.specimens.families import Specimen
from tests.indexer.images.drawn import saved, scene

NAMES = cycle(
    [
        ("photo.jpg", "image/jpeg"),
        ("../../../etc/passwd", "image/png"),
        ("a.php\0.jpg", "application/x-php"),
        ("photo.svg", "image/svg+xml"),
        ("%2e%2e%2fphoto", "text/html"),
        ("C:\\photo.gif", "x" * 300),
        ("\r\nSet-Cookie: a=b", 'image/webp; q="1'),
        ("x" * 255, "image"),
    ]
)
"""What files are called and declared to be, which nobody looks at."""
SECONDS = 1.0
"""Of a processor, for one photo: the least of `TRIES`, for what else this machine does."""
TRIES = 3
MEMORY = 300 << 20


def judged(client: TestClient, one: Specimen) -> str | None:
    """What is wrong with the answer, if anything."""
    name, kind = next(NAMES)
    answer = client.post("/v1/search/photo", files={"photo": (name, one.content, kind)}, data={"top_k": "1"})
    if answer.status_code == 200 and not one.reasons:
        return None
    problem = answer.json()
    named = [reason for reason in one.reasons if f"({reason})" in problem.get("detail", "")]
    if answer.status_code == 422 and problem["type"] == PREFIX + "image-rejected" and named:
        return None
    return f"{one}: {answer.status_code} {problem.get('detail', '')[:200]}, not {sorted(one.reasons) or 'accepted'}"


def decoders_seconds() -> float:
    """Processor time of the decoding children so far."""
    ticks = 0
    for child in multiprocessing.active_children():
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_file_is_taken_for_what_it_is(client: TestClient, family: str) -> None:
    faults, slow = [], {}
    for one in specimens(family):
        spent: list[float] = []
        while not spent or (min(spent) > SECONDS and len(spent) < TRIES):
            before = decoders_seconds()
            faults.append(judged(client, one))
            spent.append(decoders_seconds() - before)
        slow[one.name] = min(spent)
    assert [fault for fault in faults if fault] == []
    assert {name: seconds for name, seconds in slow.items() if seconds > SECONDS} == {}


def test_there_are_many_kinds_of_them() -> None:
    every = {family: [one.reasons for one in specimens(family)] for family in FAMILIES}
    counted = Counter({family: len(reasons) for family, reasons in every.items()})
    assert len(counted) >= 60
    assert counted.total() >= 500
    asked = {reason for of_family in every.values() for reasons in of_family for reason in reasons}
    of_files = {reason for reason in Reason if reason.name.startswith(("TOO_", "BAD_", "UNSUPP", "TRUNC", "EMPTY"))}
    assert asked >= of_files | {Reason.DECODE_FAILED}


def resident() -> int:
    """Bytes of this process and its decoding children, shared pages counted once."""
    pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
    found = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            found += int(line.split()[1]) << 10 if line.startswith("Pss:") else 0
    return found


def test_eight_at_once_need_little_memory(client: TestClient) -> None:
    """Large pictures, and the largest of what is refused."""
    heavy = [
        *(one.content for one in specimens("png: large for their bytes")),
        *(one.content for one in specimens("png: texts and profiles that inflate to gigabytes")),
        next(one.content for one in specimens("gif: countless parts")),
    ]
    assert len(heavy) == 8

    def send(content: bytes) -> int:
        return client.post("/v1/search/photo", files={"photo": content}).status_code

    send(saved(scene(), "PNG"))
    idle = resident()
    most = idle
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(send, content) for content in heavy]
        while not all(one.done() for one in sent):
            most = max(most, resident())
    assert {one.result() for one in sent} <= {200, 422, 503}
    assert most <= idle + MEMORY


def test_nothing_of_an_upload_is_kept(
    client: TestClient, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = {path for path in home.rglob("*") if path.is_file()}
    marked = saved(scene(), "PNG") + b"canary-of-a-shopper" * 200_000
    assert client.post("/v1/search/photo", files={"photo": marked}).status_code == 200
    assert list(tmp_path.iterdir()) == []
    fresh = {path for path in home.rglob("*") if path.is_file()} - before
    assert [path for path in fresh if b"canary-of-a-shopper" in path.read_bytes()] == []

"""From the Enter key to the answer of `vitrine search`, and from the start of `vitrine serve` until it is ready.

Each is a process of its own, with the files in the page cache. Beside them stands what a program with a model pays
before its first line: importing open_clip, which takes so long that it is measured once for both.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from eval.benchmarks.figures import Figure, Given, Wanted, alternate, milliseconds
from eval.benchmarks.showrooms import VITRINE, asked, environment_of, showroom_home
from indexer.errors import UnavailableError
from service.demo import CATALOG, WORDS

ROUNDS: Final = 3
PATIENCE: Final = 60.0
"""Seconds that a service may take to be ready before it is given up."""


def figures(given: Given) -> Iterator[Figure]:
    home = showroom_home(given.work)
    search = ["search", WORDS, "--catalog", CATALOG, "--json"]
    shown = len(json.loads(asked(home, *search))["results"])
    spent, other = alternate(lambda: asked(home, *search), _import, ROUNDS)
    yield _figure("search", f"`vitrine search`, typed → {shown} results", spent, other, 1.5)
    yield _figure("serve", "`vitrine serve`, started → ready", _starts(Service(home)), other, 3.0)


def _figure(name: str, what: str, spent: list[float], other: list[float], within: float) -> Figure:
    return Figure.of(
        f"starting.{name}",
        what,
        [one / 1_000 for one in spent],
        unit="s",
        against="`python -c 'import open_clip'`",
        baseline=[one / 1_000 for one in other],
        wanted=Wanted(within=within),
    )


def _starts(service: "Service") -> list[float]:
    """Milliseconds of each; the first of all reads the files and does not count."""
    spent: list[float] = []
    for _ in range(1 + ROUNDS):
        spent.append(milliseconds(service.start))
        service.stop()
    return spent[1:]


def _import() -> None:
    subprocess.run([sys.executable, "-c", "import open_clip"], check=True, capture_output=True)


class Service:
    """`vitrine serve` as a process of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it is ready. Raises UnavailableError when it ends before, or is not within PATIENCE."""
        port, log = _free_port(), subprocess.DEVNULL
        command = [str(VITRINE), "serve", "--port", str(port)]
        self._process = process = subprocess.Popen(
            command, env=environment_of(self._home), cwd=self._home, stdout=log, stderr=log
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and process.poll() is None:
            try:
                with urlopen(f"http://127.0.0.1:{port}/v1/ready", timeout=PATIENCE):
                    return
            except (URLError, ConnectionError):
                time.sleep(0.02)
        self.stop()
        raise UnavailableError("vitrine serve did not become ready.")

    def stop(self) -> None:
        """Stopping a stopped one is fine."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port

"""A process that has imported all that some work needs, and forks another for each piece of it, to be killed.

Forking is safe here because nothing is open and no thread runs yet; it spares every restart the imports.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from types import TracebackType

GONE = "gone"


class Forks:
    """`with Forks(module) as forks:`; `module` has a function `work`, whose arguments `start` sends."""

    def __init__(self, module: str) -> None:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "tests.faults.forks", module]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        self._pid = 0
        assert self._line() == "ready"

    def start(self, *arguments: object) -> None:
        """The work begins; the one before must be gone."""
        assert self._process.stdin is not None
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        self._pid = int(self._line())

    def lines(self) -> Iterator[str]:
        """What the work prints, until it is gone."""
        while (line := self._line()) != GONE:
            yield line

    def kill(self) -> None:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(self._pid, signal.SIGKILL)

    def __enter__(self) -> "Forks":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that forks is gone: its error is above"
        return line.rstrip("\n")


def tell(*words: object) -> None:
    """One line for the test, in one write."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def _fork(work: Callable[..., None], arguments: list[object]) -> None:
    child = os.fork()
    if child == 0:
        tell(os.getpid())
        work(*arguments)
        sys.exit()
    os.waitpid(child, 0)
    tell(GONE)


def _main(module: str) -> None:
    work = import_module(module).work
    tell("ready")
    for line in sys.stdin:
        _fork(work, json.loads(line))


if __name__ == "__main__":
    _main(sys.argv[1])

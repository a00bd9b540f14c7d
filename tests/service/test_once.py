import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.once import Once


def test_threads_that_ask_together_get_the_one_that_was_made() -> None:
    together = threading.Barrier(8)

    def make() -> object:
        time.sleep(0.01)
        return object()

    once = Once(make)

    def ask() -> object:
        together.wait()
        return once()

    with ThreadPoolExecutor(8) as threads:
        got = [one.result() for one in [threads.submit(ask) for _ in range(8)]]

    assert all(one is got[0] for one in got)


def test_what_failed_is_tried_again() -> None:
    tries = iter([False, True])

    def make() -> str:
        if not next(tries):
            raise OSError("not yet")
        return "made"

    once = Once(make)

    with pytest.raises(OSError, match="not yet"):
        once()
    assert once() == once() == "made"

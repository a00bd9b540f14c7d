"""The log, set up as a service does, to be read."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from indexer.logs import install_logs
from indexer.operating_settings import TelemetrySettings


@contextmanager
def logged(**settings: object) -> Iterator[io.StringIO]:
    """What is written while the log is set up as the settings say, as JSON if they say nothing."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    install_logs(TelemetrySettings.model_validate({"format": "json", **settings}), stream)
    try:
        yield stream
    finally:
        root.handlers[:] = before
        root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]

"""Where the running service of a VITRINE_HOME is, so that commands go through the store's owner."""

import json
import os
from pathlib import Path

import httpx2

from indexer.errors import SettingsError
from indexer.stores.pointer import write_atomically

FILE = "service.json"
PATIENCE_SECONDS = 2.0


def announce(home: Path, url: str, instance: str) -> None:
    """Raises SettingsError when the home cannot be written in."""
    try:
        write_atomically(home / FILE, json.dumps({"url": url, "pid": os.getpid(), "instance": instance}).encode())
    except OSError as error:
        raise SettingsError(f"home: nothing can be written in {home}: {error.strerror}.") from error


def withdraw(home: Path) -> None:
    (home / FILE).unlink(missing_ok=True)


def running_service(home: Path) -> str | None:
    """The service's URL, when the process that announced it answers there; a leftover of a dead one is ignored."""
    try:
        announced = json.loads((home / FILE).read_text("utf-8"))
        answer = httpx2.get(f"{announced['url']}/v1/health", timeout=PATIENCE_SECONDS, trust_env=False)
        return str(announced["url"]) if answer.json()["instance"] == announced["instance"] else None
    except (OSError, ValueError, KeyError, TypeError, httpx2.HTTPError, httpx2.InvalidURL):
        return None

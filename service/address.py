"""Where the running service of a VITRINE_HOME is, so that commands go through the store's owner."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from indexer.errors import SettingsError
from indexer.stores.pointer import write_atomically

FILE = "service.json"
PATIENCE_SECONDS = 2.0
OWNERS = 0o600


@dataclass(frozen=True)
class Running:
    """A service; `secret` lets commands of whoever may read its home do everything there."""

    url: str
    secret: str = field(repr=False)


def announce(home: Path, url: str, instance: str, secret: str = "") -> None:
    """For the eyes of the home's owner. Raises SettingsError when the home cannot be written in."""
    try:
        said = {"url": url, "pid": os.getpid(), "instance": instance, "secret": secret}
        write_atomically(home / FILE, json.dumps(said).encode(), mode=OWNERS)
    except OSError as error:
        raise SettingsError(f"home: nothing can be written in {home}: {error.strerror}.") from error


def withdraw(home: Path) -> None:
    (home / FILE).unlink(missing_ok=True)


def running(home: Path) -> Running | None:
    """The service, when the process that announced it answers there; a leftover of a dead one is ignored."""
    try:
        announced = json.loads((home / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    import httpx2

    try:
        answer = httpx2.get(f"{announced['url']}/v1/health", timeout=PATIENCE_SECONDS, trust_env=False)
        if answer.json()["instance"] != announced["instance"]:
            return None
        return Running(str(announced["url"]), str(announced.get("secret", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, httpx2.HTTPError, httpx2.InvalidURL):
        return None


def running_service(home: Path) -> str | None:
    """Its URL."""
    found = running(home)
    return None if found is None else found.url

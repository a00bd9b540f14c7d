"""Asking a Qdrant server: again where another try may help, and in Vitrine's errors."""

import json
import math
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import urlsplit

import grpc
from pydantic import ValidationError
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from indexer.breaker import Breaker
from indexer.errors import SettingsError, StoreMismatch, StoreUnavailable
from indexer.store_settings import QdrantSettings

Answer = TypeVar("Answer")

FIRST_WAIT: Final = 0.2
LONGEST_WAIT: Final = 10.0
LONGEST_ASKED: Final = 60.0
"""Seconds waited at most where the server names the wait."""
TOLD: Final = 300
"""Characters of the server's own words that a message repeats."""

VENDOR_ERRORS: Final = (grpc.RpcError, ApiException, QdrantException, ValueError, RuntimeError, AssertionError)
"""All that the client raises: the last three are its own refusals, a closed client and an empty answer."""
PASSING_CODES: Final = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
}
REFUSING_CODES: Final = {
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
}
KEY_CODES: Final = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
PASSING_STATUS: Final = {408, 429, 502, 503, 504}
KEY_STATUS: Final = {401, 403}


@dataclass(frozen=True)
class Failure:
    """What a vendor's error means. `passing`: another try may help, after `wait` seconds or more."""

    meaning: StoreMismatch | StoreUnavailable
    passing: bool = False
    wait: float = 0.0


@dataclass(frozen=True)
class Server:
    """A client and how it is asked. `address` names the server in messages and holds no secret. While the `breaker`
    rests it is not asked at all."""

    client: QdrantClient
    address: str
    retries: int
    sleep: Callable[[float], None] = time.sleep
    chance: random.Random = field(default_factory=random.Random)
    breaker: Breaker | None = None

    def ask(self, call: Callable[[], Answer]) -> Answer:
        """The call's answer; repeated on passing failures, so it must be one that may be made twice.

        Raises StoreUnavailable and StoreMismatch.
        """
        return self._counted(call, float("inf"))

    def ask_within(self, seconds: int, call: Callable[[int], Answer]) -> Answer:
        """The same of a call that is told how many seconds each try may take, of so many for all of them."""
        until = time.monotonic() + seconds
        return self._counted(lambda: call(max(1, math.ceil(until - time.monotonic()))), until)

    def _counted(self, call: Callable[[], Answer], until: float) -> Answer:
        if self.breaker is None:
            return self._repeated(call, until)
        if not self.breaker.allows():
            raise _unavailable(self.address, "it kept failing and is left alone for a moment")
        try:
            answer = self._repeated(call, until)
        except StoreUnavailable:
            self.breaker.failed()
            raise
        except BaseException:
            self.breaker.succeeded()
            raise
        self.breaker.succeeded()
        return answer

    def _repeated(self, call: Callable[[], Answer], until: float) -> Answer:
        """No try begins after a time of the monotonic clock."""
        tries = 0
        while True:
            try:
                return call()
            except VENDOR_ERRORS as error:
                failure = understood(error, self.address)
                wait = max(min(failure.wait, LONGEST_ASKED), self._wait(tries))
                late = time.monotonic() + wait > until
                if not failure.passing or tries >= self.retries or late:
                    raise failure.meaning from error
            self.sleep(wait)
            tries += 1

    def _wait(self, tries: int) -> float:
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0**tries)
        return longest * self.chance.uniform(0.5, 1.0)  # so that clients who failed together do not return together


def connect(settings: QdrantSettings, timeout: int) -> QdrantClient:
    """A client that opens no connection before its first call. Raises SettingsError for an unreadable `ca`."""
    secure = settings.url.startswith("https://")
    try:
        context = ssl.create_default_context(cafile=settings.ca) if secure else None
        roots = settings.ca.read_bytes() if secure and settings.ca is not None else None
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"store.qdrant.ca: {settings.ca} holds no certificates that can be read.") from error
    return QdrantClient(
        url=settings.url,
        port=urlsplit(settings.url).port or (443 if secure else 6333),
        grpc_port=settings.grpc_port,
        prefer_grpc=settings.prefer_grpc,
        # as a header: `api_key` warns of every http address, those of the same machine included
        headers={"api-key": settings.api_key.get_secret_value()} if settings.api_key is not None else None,
        timeout=timeout,
        grpc_options={"root_certificates": roots} if roots is not None else None,
        verify=context if context is not None else True,
        check_compatibility=False,  # it would ask the server from a thread of its own, and only warn
    )


def understood(error: Exception, address: str) -> Failure:
    """What the error means, in the tree of errors.py; `error` is one of VENDOR_ERRORS."""
    if isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call):
        return _of_code(error.code(), str(error.details() or ""), address)
    if isinstance(error, UnexpectedResponse):
        return _of_status(error.status_code or 0, _words_of(error), address)
    if isinstance(error, ResourceExhaustedResponse):
        return Failure(_unavailable(address, f"too many requests: {error}"), True, float(error.retry_after_s))
    if isinstance(error, ResponseHandlingException):
        if isinstance(error.source, ValidationError):
            return Failure(StoreMismatch(f"The answer of {address} is not one of a Qdrant server of this version."))
        return Failure(_unavailable(address, f"{type(error.source).__name__} {error.source}".strip()), True)
    if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)):
        return Failure(_unavailable(address, "its answer is no JSON"), True)
    if isinstance(error, NotImplementedError):
        return Failure(StoreMismatch("This needs a Qdrant server: the client's local mode, in tests, cannot do it."))
    if isinstance(error, ValueError):
        return Failure(StoreMismatch(f"Qdrant at {address} was not asked: {str(error)[:TOLD]}"))
    return Failure(_unavailable(address, str(error) or type(error).__name__))


def _of_code(code: grpc.StatusCode, words: str, address: str) -> Failure:
    if code in PASSING_CODES:
        return Failure(_unavailable(address, f"{code.name.lower()}: {words}"), True)
    if code in KEY_CODES:
        return Failure(_locked(address))
    if code in REFUSING_CODES:
        return Failure(_refused(address, words))
    return Failure(_unavailable(address, f"{code.name.lower()}: {words}"))


def _of_status(status: int, words: str, address: str) -> Failure:
    if status in PASSING_STATUS:
        return Failure(_unavailable(address, f"{status}: {words}"), True)
    if status in KEY_STATUS:
        return Failure(_locked(address))
    if 400 <= status < 500:
        return Failure(_refused(address, words))
    return Failure(_unavailable(address, f"{status}: {words}"))


def _words_of(error: UnexpectedResponse) -> str:
    try:
        return str(json.loads(error.content)["status"]["error"])
    except (ValueError, KeyError, TypeError):
        return error.content.decode(errors="replace")


def _unavailable(address: str, why: str) -> StoreUnavailable:
    return StoreUnavailable(f"Qdrant at {address} cannot be used: {why[:TOLD]}")


def _refused(address: str, words: str) -> StoreMismatch:
    return StoreMismatch(f"Qdrant at {address} refuses: {words[:TOLD]}")


def _locked(address: str) -> StoreUnavailable:
    return StoreUnavailable(f"Qdrant at {address} refuses the API key: set VITRINE_STORE__QDRANT__API_KEY.")

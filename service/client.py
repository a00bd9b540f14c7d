"""Searching through a running service, with the same call as a shop of one's own."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

import httpx2
from pydantic import ValidationError

from indexer.catalog.states import UNENDED_STATES
from indexer.errors import ConflictError, InputError, NothingGenerated, UnavailableError, VitrineError
from service.ask.documents import EVENT, AskRequest, Event
from service.draw.documents import DrawRequest, Pictures
from service.generate.jobs import Job
from service.problem_types import types_under
from service.request import SearchRequest
from service.search.answer import Answer

TIMEOUT_SECONDS = 60.0
DRAWING_SECONDS = 3_600.0
"""The service keeps its own, shorter time for a final picture."""
_POLL_SECONDS = 0.5


class RemoteShop:
    """Asks the service directly, whatever proxy the environment names."""

    def __init__(self, url: str, secret: str = "") -> None:
        """`secret` is a key, or what the service left in its home for commands; '' for what is public."""
        self._url = url
        self._headers = {"X-API-Key": secret} if secret else {}

    def search(self, request: SearchRequest, photo: bytes | None = None, further: Sequence[bytes] = ()) -> Answer:
        """Raises InputError, ConflictError or UnavailableError with the service's own words."""
        photos = [] if photo is None else [photo, *further]
        with self._client(DRAWING_SECONDS if request.generate == "final" else TIMEOUT_SECONDS) as client:
            return Answer.model_validate_json(_demanded(_sent(client, "/v1/search", request, photos)).content)

    def ask(self, request: AskRequest) -> Generator[Event]:
        """The events as they come. Raises as `search`, and UnavailableError also after some of them."""
        headers = {"Content-Type": "application/json"}
        try:
            with (
                self._opened(TIMEOUT_SECONDS) as client,
                client.stream("POST", "/v1/ask", content=request.model_dump_json(), headers=headers) as answer,
            ):
                if not answer.is_success:
                    answer.read()
                    raise _error(answer)
                for line in answer.iter_lines():
                    yield EVENT.validate_json(line)
        except (httpx2.HTTPError, ValidationError) as error:
            raise UnavailableError(f"The service at {self._url} broke off: {type(error).__name__}.") from error

    def draw(self, request: DrawRequest, photo: bytes | None = None) -> Pictures:
        """Waits for what the service draws later, and cancels it when interrupted. Raises as `search`."""
        with self._client() as client:
            answer = _sent(client, "/v1/generate", request, [] if photo is None else [photo])
            if answer.status_code != HTTPStatus.ACCEPTED:
                return Pictures.model_validate_json(_demanded(answer).content)
            return _awaited(client, Job.model_validate_json(answer.content))

    def png(self, picture_id: str) -> bytes:
        """The file of a picture that was generated. Raises as `search`."""
        with self._client() as client:
            return _demanded(client.get(f"/v1/generated/{picture_id}.png")).content

    def _opened(self, seconds: float) -> httpx2.Client:
        return httpx2.Client(base_url=self._url, headers=self._headers, timeout=seconds, trust_env=False)

    @contextmanager
    def _client(self, seconds: float = TIMEOUT_SECONDS) -> Iterator[httpx2.Client]:
        try:
            with self._opened(seconds) as client:
                yield client
        except httpx2.HTTPError as error:
            raise UnavailableError(f"The service at {self._url} does not answer: {type(error).__name__}.") from error


def _sent(
    client: httpx2.Client, path: str, request: SearchRequest | DrawRequest, photos: Sequence[bytes]
) -> httpx2.Response:
    if photos:
        return client.post(f"{path}/photo", data=_form(request), files=[("photo", ("photo", one)) for one in photos])
    headers = {"Content-Type": "application/json"}
    return client.post(path, content=request.model_dump_json(), headers=headers)


def _demanded(answer: httpx2.Response) -> httpx2.Response:
    if not answer.is_success:
        raise _error(answer)
    return answer


def _awaited(client: httpx2.Client, job: Job) -> Pictures:
    """What a job comes to, which nobody wants any longer who interrupts the waiting."""
    try:
        while job.state in UNENDED_STATES:
            time.sleep(_POLL_SECONDS)
            job = Job.model_validate_json(_demanded(client.get(f"/v1/generate/jobs/{job.id}")).content)
    except KeyboardInterrupt:
        client.delete(f"/v1/generate/jobs/{job.id}")
        raise
    if job.result is None:
        raise NothingGenerated(job.error or "No picture was drawn: the job was cancelled.")
    return Pictures.model_validate(job.result)


def _form(request: SearchRequest | DrawRequest) -> dict[str, str | list[str]]:
    """Numbers that belong together are one field."""
    form: dict[str, str | list[str]] = {}
    for name, value in request.model_dump(exclude_none=True).items():
        if isinstance(value, dict):
            form[name] = ",".join(f"{key}={one}" for key, one in value.items())
        elif name in ("box", "size", "region"):
            form[name] = ",".join(map(str, value))
        else:
            form[name] = list(value) if isinstance(value, tuple) else str(value)
    return form


def _error(answer: httpx2.Response) -> VitrineError:
    """The problem's own branch of the error tree, so that exit codes are those of a search without a service."""
    try:
        problem = answer.json()
        kind, detail = str(problem["type"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        kind, detail = "", f"The service answered {answer.status_code}."
    for branch in (ConflictError, UnavailableError):
        if kind in types_under(branch):
            return branch(detail)
    return InputError(detail) if answer.is_client_error else UnavailableError(detail)

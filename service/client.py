"""Searching through a running service, with the same call as a shop of one's own."""

from collections.abc import Generator, Sequence

import httpx2
from pydantic import ValidationError

from indexer.errors import ConflictError, InputError, UnavailableError, VitrineError
from service.ask.documents import EVENT, AskRequest, Event
from service.problem_types import types_under
from service.request import SearchRequest
from service.search.answer import Answer

TIMEOUT_SECONDS = 60.0


class RemoteShop:
    """Asks the service directly, whatever proxy the environment names."""

    def __init__(self, url: str) -> None:
        self._url = url

    def search(self, request: SearchRequest, photo: bytes | None = None, further: Sequence[bytes] = ()) -> Answer:
        """Raises InputError, ConflictError or UnavailableError with the service's own words."""
        try:
            answer = self._ask(request, [] if photo is None else [photo, *further])
        except httpx2.HTTPError as error:
            raise UnavailableError(f"The service at {self._url} does not answer: {type(error).__name__}.") from error
        if answer.is_success:
            return Answer.model_validate_json(answer.content)
        raise _error(answer)

    def ask(self, request: AskRequest) -> Generator[Event]:
        """The events as they come. Raises as `search`, and UnavailableError also after some of them."""
        headers = {"Content-Type": "application/json"}
        try:
            with (
                httpx2.Client(base_url=self._url, timeout=TIMEOUT_SECONDS, trust_env=False) as client,
                client.stream("POST", "/v1/ask", content=request.model_dump_json(), headers=headers) as answer,
            ):
                if not answer.is_success:
                    answer.read()
                    raise _error(answer)
                for line in answer.iter_lines():
                    yield EVENT.validate_json(line)
        except (httpx2.HTTPError, ValidationError) as error:
            raise UnavailableError(f"The service at {self._url} broke off: {type(error).__name__}.") from error

    def _ask(self, request: SearchRequest, photos: Sequence[bytes]) -> httpx2.Response:
        with httpx2.Client(base_url=self._url, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            if not photos:
                headers = {"Content-Type": "application/json"}
                return client.post("/v1/search", content=request.model_dump_json(), headers=headers)
            return client.post(
                "/v1/search/photo", data=_form(request), files=[("photo", ("photo", one)) for one in photos]
            )


def _form(request: SearchRequest) -> dict[str, str | list[str]]:
    form: dict[str, str | list[str]] = {
        name: list(value) if isinstance(value, tuple) else str(value)
        for name, value in request.model_dump(exclude={"weights", "box"}, exclude_none=True).items()
    }
    if request.weights is not None:
        form["weights"] = ",".join(f"{name}={weight}" for name, weight in request.weights.items())
    if request.box is not None:
        form["box"] = ",".join(map(str, request.box))
    return form


def _error(answer: httpx2.Response) -> VitrineError:
    """The problem's own branch of the error tree, so that exit codes are those of a search without a service."""
    try:
        problem = answer.json()
        kind, detail = str(problem["type"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        kind, detail = "", f"The service answered {answer.status_code}."
    if kind in types_under(ConflictError):
        return ConflictError(detail)
    return InputError(detail) if answer.is_client_error else UnavailableError(detail)

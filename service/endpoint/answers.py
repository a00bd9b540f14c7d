"""Chat completions as an endpoint sends them, taken apart. Extras of another form than is known are as none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, ValidationError

Reason = Literal["late", "refused", "status", "form", "unreachable", "cut"]
UNBILLED: Final[frozenset[Reason]] = frozenset({"status", "unreachable"})
"""Failures before which nothing was generated."""

MOST_TOKENS: Final = 10_000_000
"""Of one request; what says more counts something else."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A token of an answer; `alternatives` are the log-probabilities, ≤ 0, of it and its rivals."""

    text: str
    alternatives: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Said:
    """`letters` come only where they were asked for and the endpoint tells them; one after the other they spell the
    text, and at most an end mark after it."""

    text: str
    tokens_in: int | None
    tokens_out: int | None
    letters: tuple[Letter, ...] = ()


class EndpointFailed(Exception):
    """No answer, for a `reason`; `detail` repeats nothing that the endpoint said.

    `late`: not in time; `refused`: the model would not; `status`: an HTTP error; `form`: another answer than was asked
    for; `unreachable`: no connection, or a broken one; `cut`: the answer ended early or was too long. What `counts`
    speaks against the endpoint's health, the rest against what it was asked, which others may have had a hand in.
    `spent` are the tokens in and out of an answer that came to nothing, where the endpoint tells.
    """

    def __init__(self, reason: Reason, detail: str, *, counts: bool, spent: tuple[int, int] | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.counts = counts
        self.spent = spent


class _Usage(BaseModel):
    prompt_tokens: Annotated[int, Field(ge=0, le=MOST_TOKENS)]
    completion_tokens: Annotated[int, Field(ge=0, le=MOST_TOKENS)]


class _Rival(BaseModel):
    token: str
    logprob: Annotated[float, Field(allow_inf_nan=False)]


class _Token(_Rival):
    top_logprobs: list[_Rival]


class _Logprobs(BaseModel):
    content: list[_Token]


class _Words(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Words
    finish_reason: str | None = None
    logprobs: object = None


class _Completion(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: object = None


class _Change(BaseModel):
    delta: _Words
    finish_reason: str | None = None


class _Event(BaseModel):
    choices: list[_Change]
    usage: object = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Of a streamed answer; the last one that has text, or the one after it, is `ended`."""

    text: str
    ended: bool
    tokens: tuple[int, int] | None


def said_by(body: bytes) -> Said:
    """Raises EndpointFailed."""
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError:
        raise other_form() from None
    choice = completion.choices[0]
    spent = _tokens(completion.usage)
    _demand_whole(choice.finish_reason, choice.message.refusal, spent)
    if choice.message.content is None:
        raise EndpointFailed("form", "the endpoint's answer is empty", counts=False, spent=spent)
    tokens_in, tokens_out = spent or (None, None)
    return Said(choice.message.content, tokens_in, tokens_out, _letters(choice.logprobs, choice.message.content))


def piece_of(event: bytes) -> Piece:
    """Of the data of one server-sent event. Raises EndpointFailed."""
    try:
        change = _Event.model_validate_json(event)
    except ValidationError:
        raise other_form() from None
    tokens = _tokens(change.usage)
    if not change.choices:
        return Piece("", False, tokens)
    first = change.choices[0]
    _demand_whole(first.finish_reason, first.delta.refusal, tokens)
    return Piece(first.delta.content or "", first.finish_reason is not None, tokens)


def other_form() -> EndpointFailed:
    return EndpointFailed("form", "the endpoint's answer has another form than was asked for", counts=True)


def _demand_whole(finish: str | None, refusal: str | None, spent: tuple[int, int] | None) -> None:
    if refusal or finish == "content_filter":
        raise EndpointFailed("refused", "the endpoint refused to answer", counts=False, spent=spent)
    if finish == "length":
        raise EndpointFailed("cut", "the endpoint's answer was cut short", counts=False, spent=spent)


def _tokens(usage: object) -> tuple[int, int] | None:
    try:
        read = _Usage.model_validate(usage)
    except ValidationError:
        return None
    return read.prompt_tokens, read.completion_tokens


def _letters(logprobs: object, text: str) -> tuple[Letter, ...]:
    """None of them where they spell another text; an end mark after it is how some servers tell them."""
    try:
        tokens = _Logprobs.model_validate(logprobs).content
    except ValidationError:
        return ()
    if not "".join(one.token for one in tokens).startswith(text):
        return ()
    return tuple(
        Letter(one.token, {rival.token: min(rival.logprob, 0.0) for rival in (*one.top_logprobs, one)})
        for one in tokens
    )

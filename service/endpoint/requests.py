"""Chat completions as they are asked for, with and without what only some endpoints understand."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionMessageParam

_RIVALS = 5
"""Tokens whose log-probability is asked for; some of OpenAI's neighbours refuse more."""

Extra = Literal["strict", "logprobs", "max_tokens", "temperature", "reasoning_effort", "stream_options", "schema"]
Extras = frozenset[Extra]
NAMES: Final[Mapping[Extra, str]] = {
    "strict": "strict",
    "logprobs": "logprobs|top_logprobs",
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "reasoning_effort": "reasoning_effort",
    "stream_options": "stream_options|include_usage",
    "schema": "response_format|json_schema",
}
"""What a request can do without → how an error names it. Of several that are named the first goes first."""


@dataclass(frozen=True, slots=True)
class Picture:
    jpeg: bytes
    detail: Literal["low", "high", "auto"] = "low"


Part = str | Picture


@dataclass(frozen=True, eq=False)
class Asked:
    """One chat completion. An answer by `schema`, a JSON schema, is demanded strictly where the endpoint can;
    `max_tokens` bounds what is billed of the answer, thinking included."""

    system: str
    parts: Sequence[Part]
    schema: Mapping[str, object] | None
    max_tokens: int
    logprobs: bool = False


def extras_of(asked: Asked, unknown: Extras, *, streamed: bool) -> Extras:
    """What is sent to an endpoint that does not know `unknown`. Those that want max_tokens by its later name, which
    knows of thinking, are told to think little."""
    wanted: set[Extra] = {"max_tokens", "temperature"}
    if asked.schema is not None:
        wanted |= {"schema", "strict"}
    if asked.logprobs:
        wanted.add("logprobs")
    if streamed:
        wanted.add("stream_options")
    if "max_tokens" in unknown:
        wanted.add("reasoning_effort")
    return frozenset(wanted - unknown)


def messages(asked: Asked) -> "list[ChatCompletionMessageParam]":
    """A single text goes as itself, because some servers take no list."""
    alone = asked.parts[0] if len(asked.parts) == 1 else None
    content = sendable(alone) if isinstance(alone, str) else [_part(one) for one in asked.parts]
    return [{"role": "system", "content": sendable(asked.system)}, {"role": "user", "content": content}]


def options(asked: Asked, sent: Extras, *, streamed: bool) -> dict[str, object]:
    """What a request holds beside the model and the messages."""
    body: dict[str, object] = {"max_tokens" if "max_tokens" in sent else "max_completion_tokens": asked.max_tokens}
    if "temperature" in sent:
        body["temperature"] = 0
    if "reasoning_effort" in sent:
        body["reasoning_effort"] = "minimal"
    if "logprobs" in sent:
        body |= {"logprobs": True, "top_logprobs": _RIVALS}
    if "schema" in sent:
        strict = {"strict": True} if "strict" in sent else {}
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": asked.schema, **strict},
        }
    if streamed:
        body["stream"] = True
    if "stream_options" in sent:
        body["stream_options"] = {"include_usage": True}
    return body


def _part(part: Part) -> "ChatCompletionContentPartParam":
    if isinstance(part, str):
        return {"type": "text", "text": sendable(part)}
    url = f"data:image/jpeg;base64,{base64.b64encode(part.jpeg).decode()}"
    return {"type": "image_url", "image_url": {"url": url, "detail": part.detail}}


def sendable(text: str) -> str:
    """Halves of characters, which no request can carry, are question marks."""
    return text.encode(errors="replace").decode()

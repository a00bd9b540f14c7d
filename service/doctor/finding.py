"""What is found of one part."""

from enum import StrEnum

from indexer.domain import Frozen


class State(StrEnum):
    """A warning works today; a fault does not."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Finding(Frozen):
    part: str
    state: State
    said: str
    todo: str = ""
    """What to do about it; '' where nothing is to be done."""


def ok(part: str, said: str) -> Finding:
    return Finding(part=part, state=State.OK, said=said)


def warning(part: str, said: str, todo: str) -> Finding:
    return Finding(part=part, state=State.WARNING, said=said, todo=todo)


def fault(part: str, said: str, todo: str) -> Finding:
    return Finding(part=part, state=State.FAULT, said=said, todo=todo)

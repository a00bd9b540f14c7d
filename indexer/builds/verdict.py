"""What a gate says of a build."""

from typing import Self

from pydantic import Field, model_validator

from indexer.domain import Frozen


class GateVerdict(Frozen):
    """What one gate says. `reasons` and `notices` are sentences; a refusal has a reason, a pass has none."""

    gate: str
    passed: bool
    reasons: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    """What a reader should know beside the verdict, such as what could not be checked."""
    figures: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.passed == bool(self.reasons):
            raise ValueError("a refusal gives its reasons and a pass has none")
        return self

"""What a check of a suite found."""

from collections.abc import Sequence
from enum import StrEnum

from indexer.domain import Frozen

EXAMPLES = 5
"""Examples kept of a finding."""


class Severity(StrEnum):
    """`error`: figures of the suite are wrong. `warning`: they flatter or mislead. `note`: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Frozen):
    check: str
    """A short stable name."""
    severity: Severity
    count: int
    what: str
    """One sentence that the count completes: `queries name products that the catalog does not have`."""
    examples: tuple[str, ...] = ()


class Range(Frozen):
    """Of the relevant products per judged query."""

    least: int
    median: float
    most: int


class SuiteReport(Frozen):
    suite: str
    digest: str
    catalog: str
    queries: int
    absent: int
    judgements: int
    halves: dict[str, int]
    """Split → queries."""
    tags: dict[str, int]
    """Tag → queries, most first."""
    categories: dict[str, int]
    """Category → judged queries whose right products are mostly of it, most first; empty without the catalogue."""
    relevant: Range | None
    """None when nothing is judged."""
    findings: tuple[Finding, ...]
    """The gravest first."""
    skipped: tuple[str, ...]
    """What could not be looked at, and why."""

    @property
    def sound(self) -> bool:
        """Nothing found that makes a figure wrong."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def found(check: str, severity: Severity, what: str, cases: Sequence[str]) -> list[Finding]:
    """A finding of the cases, or nothing when there are none."""
    if not cases:
        return []
    return [Finding(check=check, severity=severity, count=len(cases), what=what, examples=tuple(cases[:EXAMPLES]))]


def gravest_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    order = list(Severity)
    return tuple(sorted(findings, key=lambda one: order.index(one.severity)))

"""What a shopper gets while a dependency is in a fault: one row each, which the documentation repeats."""

from dataclasses import dataclass
from typing import Final

DATABASE_SECONDS: Final = 2
STORE_SECONDS: Final = 1
ENDPOINT_SECONDS: Final = 5
"""What the settings of the tests allow each: so little that tests do not wait, and enough to come to a fault that is
there at once on a machine that has other work too."""
SLACK: Final = 6.0
"""Seconds beyond what a setting allows: the one that is promised, and five for whatever else the machine does."""


@dataclass(frozen=True)
class Row:
    """`answer` as the documentation says it; `status` of the search, and how what its `degraded` says begins. `change`
    is the status of a change to a product, where changes are answered in another way. All of it within `seconds`.
    `lasting`: changes are well again only after a restart."""

    dependency: str
    fault: str
    answer: str
    status: int
    seconds: float
    degraded: str = ""
    change: int | None = None
    lasting: bool = False

    @property
    def most(self) -> float:
        """Seconds that the search may take."""
        return self.seconds + SLACK

    @property
    def name(self) -> str:
        return f"{self.dependency}: {self.fault}"


NETWORK: Final = ("refused", "slow", "reset", "garbage")


def _everywhere(
    dependency: str, answer: str, status: int, seconds: float, degraded: str = "", change: int | None = None
) -> tuple[Row, ...]:
    return tuple(Row(dependency, fault, answer, status, seconds, degraded, change) for fault in NETWORK)


AWAY: Final = "503 with Retry-After"

ROWS: Final = (
    *_everywhere("Qdrant over gRPC", AWAY, 503, STORE_SECONDS),
    *_everywhere("Qdrant over REST", AWAY, 503, STORE_SECONDS),
    *_everywhere("PostgreSQL", AWAY, 503, DATABASE_SECONDS),
    Row("SQLite", "locked", "results; changes get 503 with Retry-After", 200, DATABASE_SECONDS, change=503),
    Row("SQLite", "full disk", "results; changes get 503 with Retry-After", 200, DATABASE_SECONDS, change=503),
    Row("SQLite", "corrupt", AWAY, 503, DATABASE_SECONDS),
    Row(
        "SQLite", "read-only", "results; changes get 503 with Retry-After, until a restart", 200, DATABASE_SECONDS,
        change=503, lasting=True,
    ),
    *_everywhere(
        "Judging endpoint", "results in the encoder's order; `degraded`: verification", 200, ENDPOINT_SECONDS,
        "verification: 1 of 1 results were not verified",
    ),
    *_everywhere(
        "Language endpoint", "results by captions that rules wrote; `degraded`: caption", 200, ENDPOINT_SECONDS,
        "caption: the language endpoint gave none in time",
    ),
    *_everywhere(
        "OpenAI images", "results without a picture; `degraded`: openai", 200, ENDPOINT_SECONDS, "openai: the endpoint"
    ),
    *_everywhere(
        "Replicate", "results without a picture; `degraded`: replicate", 200, ENDPOINT_SECONDS,
        "replicate: the endpoint",
    ),
    *_everywhere("Object storage of pictures", "results; the picture is drawn, and not kept", 200, 6.0),
    *_everywhere(
        "Object storage of embeddings", "results; products that are put get 503 with Retry-After", 200, 0.0, change=503
    ),
    *_everywhere("Redis", "results; each process counts requests by itself", 200, 0.1),
)  # fmt: skip

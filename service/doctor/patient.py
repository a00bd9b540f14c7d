"""Who is examined."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indexer.catalog.engine import Database
from indexer.settings import Settings
from service.doctor.finding import Finding


@dataclass(frozen=True)
class Patient:
    """`online`: what is far away may be asked, where that costs money too."""

    settings: Settings
    database: Database
    online: bool = False


Check = Callable[[Patient], Iterator[Finding]]
"""What it raises counts as a fault of its part."""

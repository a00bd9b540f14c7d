"""Every error that Vitrine raises on purpose. Nothing here knows HTTP or exit codes.

VitrineError
├── InputError                what was given cannot be used; the message says what to do
│   ├── SettingsError         a setting is missing, malformed or contradicts another
│   ├── SourceError           a catalogue file cannot be read at all
│   │   ├── EmptySource
│   │   └── UnmappableColumns the file has no column for a required field
│   ├── ImageRejected         an image did not pass the gate; `reason` is one of a closed list
│   ├── QueryError            a search request contradicts itself
│   │   ├── EmptyQuery
│   │   ├── BadWeights
│   │   ├── ContradictoryEdit a change to two things at once
│   │   ├── BadBox            a part of a photo that is not within it
│   │   ├── UnknownColour     a word that names no colour
│   │   ├── BadCursor         no place in the results of this search
│   │   ├── BadFilter         unknown field, wrong operator or value
│   │   └── BadExpression     a boost that cannot be read
│   ├── BadRule               a business rule that lacks or contradicts something
│   └── NotFound
│       ├── UnknownProduct
│       ├── UnknownCatalog
│       ├── UnknownBuild
│       ├── UnknownModel
│       └── UnknownRule
├── ConflictError             the request is fine, the present state forbids it
│   ├── CursorExpired         the build whose results were paged through was replaced
│   ├── NothingPublished
│   ├── NoEndpoint            what was asked needs a model behind an endpoint, and the settings name none
│   ├── BuildInProgress       another process is building this catalog
│   ├── BuildFailed           a build ended without anything to publish
│   ├── BuildCancelled        somebody stopped the build
│   ├── PublishRefused        a gate refused a finished build, which stays and can be published later
│   ├── StoreOwned            another process owns the embedded store
│   ├── StoreMismatch         the store lacks, or contradicts, the published build
│   │   └── VectorsMissing    the embedding cache lacks vectors of the build's products
│   └── EncoderMismatch       the encoder at hand did not make the build's vectors
└── UnavailableError          something outside is down; trying again later may help
    ├── StoreUnavailable
    ├── CatalogueUnavailable
    ├── HubUnreachable        a hub model's file could not be fetched
    └── FetchFailed           an image URL could not be fetched
"""

from collections.abc import Iterable


class VitrineError(Exception):
    """Root of the tree; `str(error)` is one sentence a user can act on."""


class InputError(VitrineError):
    pass


class SettingsError(InputError):
    pass


class SourceError(InputError):
    pass


class EmptySource(SourceError):
    pass


class UnmappableColumns(SourceError):
    """`found` are the file's columns, `missing` the fields no column was recognised for."""

    def __init__(self, path: str, found: Iterable[str], missing: Iterable[str]) -> None:
        self.found = tuple(found)
        self.missing = tuple(missing)
        super().__init__(
            f"{path}: no column for {', '.join(self.missing)}; found {', '.join(self.found) or 'none'}. "
            f"Name one with --map {self.missing[0]}=COLUMN."
        )


class ImageRejected(InputError):
    """`reason` is a short stable word for ledgers and clients, `detail` a sentence for people."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)

    def __str__(self) -> str:
        return self.detail


class QueryError(InputError):
    pass


class EmptyQuery(QueryError):
    pass


class BadWeights(QueryError):
    pass


class ContradictoryEdit(QueryError):
    pass


class BadBox(QueryError):
    pass


class UnknownColour(QueryError):
    pass


class BadCursor(QueryError):
    pass


class BadFilter(QueryError):
    pass


class BadExpression(QueryError):
    pass


class BadRule(InputError):
    pass


class NotFound(InputError):
    pass


class UnknownProduct(NotFound):
    pass


class UnknownCatalog(NotFound):
    pass


class UnknownBuild(NotFound):
    pass


class UnknownModel(NotFound):
    pass


class UnknownRule(NotFound):
    pass


class ConflictError(VitrineError):
    pass


class CursorExpired(ConflictError):
    pass


class NothingPublished(ConflictError):
    pass


class NoEndpoint(ConflictError):
    pass


class BuildInProgress(ConflictError):
    pass


class BuildFailed(ConflictError):
    pass


class BuildCancelled(ConflictError):
    pass


class PublishRefused(ConflictError):
    pass


class StoreOwned(ConflictError):
    pass


class StoreMismatch(ConflictError):
    pass


class VectorsMissing(StoreMismatch):
    pass


class EncoderMismatch(ConflictError):
    pass


class UnavailableError(VitrineError):
    pass


class StoreUnavailable(UnavailableError):
    pass


class CatalogueUnavailable(UnavailableError):
    pass


class HubUnreachable(UnavailableError):
    pass


class FetchFailed(UnavailableError):
    pass

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
│   │   ├── BadPictureRequest size, steps, guidance, … of a picture to be generated
│   │   ├── BadFilter         unknown field, wrong operator or value
│   │   └── BadExpression     a boost that cannot be read
│   ├── BadBackup             no complete backup, of another kind, or made by a newer version
│   ├── BadRule               a business rule that lacks or contradicts something
│   └── NotFound
│       ├── UnknownProduct
│       ├── UnknownCatalog
│       ├── UnknownBuild
│       ├── UnknownModel
│       ├── UnknownPicture    a generated picture that is not, or no longer, kept
│       ├── PhotoGone         a shopper's photo that is not, or no longer, kept
│       ├── UnknownJob
│       ├── UnknownKey
│       └── UnknownRule
├── AccessRefused
│   ├── NotIdentified         nobody, or with a key or token that opens nothing
│   └── NotPermitted          somebody whose key does not open this
├── ConflictError             the request is fine, the present state forbids it
│   ├── CursorExpired         the build whose results were paged through was replaced
│   ├── NothingPublished
│   ├── NothingGenerated      nobody could draw what was asked; the message says why, one by one
│   ├── JobOver               a job that has ended cannot be cancelled, one without a result has none
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
    ├── Overloaded            as much is under way and waits as the service takes on
    │   └── RateExceeded      one key or address asks for more than its share
    ├── TooLate               the deadline of what was asked is over, or whoever asked has gone
    ├── QueueFull             as many jobs wait as may
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


class BadPictureRequest(QueryError):
    pass


class BadFilter(QueryError):
    pass


class BadExpression(QueryError):
    pass


class BadBackup(InputError):
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


class UnknownPicture(NotFound):
    pass


class PhotoGone(NotFound):
    pass


class UnknownJob(NotFound):
    pass


class UnknownKey(NotFound):
    pass


class UnknownRule(NotFound):
    pass


class AccessRefused(VitrineError):
    pass


class NotIdentified(AccessRefused):
    pass


class NotPermitted(AccessRefused):
    pass


class ConflictError(VitrineError):
    pass


class CursorExpired(ConflictError):
    pass


class NothingPublished(ConflictError):
    pass


class NothingGenerated(ConflictError):
    pass


class JobOver(ConflictError):
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


class Overloaded(UnavailableError):
    """`seconds` after which trying again makes sense."""

    def __init__(self, message: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(message)


class RateExceeded(Overloaded):
    pass


class TooLate(UnavailableError):
    pass


class QueueFull(UnavailableError):
    pass


class HubUnreachable(UnavailableError):
    pass


class FetchFailed(UnavailableError):
    pass

"""The states that rows go through, and the generation that has no end."""

from enum import StrEnum

FOREVER = 2_147_483_647
"""`until` of a row that no build has closed."""


class ImageState(StrEnum):
    PENDING = "pending"
    READY = "ready"
    REJECTED = "rejected"


class BuildState(StrEnum):
    """In order: a build passes through the active states, becomes ready and may be published.

    A build that is replaced by another, or rolled back, is ready again.
    """

    QUEUED = "queued"
    READING = "reading"
    EMBEDDING = "embedding"
    WRITING = "writing"
    VERIFYING = "verifying"
    READY = "ready"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_STATES = (
    BuildState.QUEUED,
    BuildState.READING,
    BuildState.EMBEDDING,
    BuildState.WRITING,
    BuildState.VERIFYING,
)
"""A build in one of these is owned by a process, or was when that process died."""

PUBLISHABLE_STATES = (BuildState.READY, BuildState.PUBLISHED)


class RuleKind(StrEnum):
    """What a business rule does with a query: put products at a place, put them last, read a word also as others,
    or add to the scores."""

    PIN = "pin"
    BURY = "bury"
    SYNONYM = "synonym"
    BOOST = "boost"


class RuleState(StrEnum):
    """Drafts apply only to searches that ask for them; a removed rule stays as a record."""

    DRAFT = "draft"
    LIVE = "live"
    REMOVED = "removed"


class DrawingState(StrEnum):
    """A job waits, runs, and ends in one of the last three; it waits again when its process stops or dies."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNENDED_STATES = (DrawingState.QUEUED, DrawingState.RUNNING)


class FeedbackKind(StrEnum):
    """A shopper opened a result, or said that it is not what was meant."""

    CLICK = "click"
    NOT_MEANT = "not_meant"


class Scope(StrEnum):
    """What a key opens: ADMIN everything, every key what shoppers may."""

    SEARCH = "search"
    MERCHANDISE = "merchandise"
    ANALYSE = "analyse"
    ADMIN = "admin"

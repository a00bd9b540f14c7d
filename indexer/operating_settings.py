"""What is set about running the service: who may ask, how much at a time, and what is told about it."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from indexer.domain import Frozen

PositiveInt = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Rate = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$")]
"""`600/minute`."""


class OidcSettings(Frozen):
    """Bearer tokens of an identity provider; absent: keys alone open anything."""

    issuer: str | None = None
    """Its https address; what it publishes under /.well-known/openid-configuration names the keys it signs with."""
    audience: str | None = None
    """What its tokens must be meant for."""
    claim: str = "scope"
    """The claim that lists scopes, as words with spaces between or as a list; `realm_access.roles` goes inside."""
    prefix: str = "vitrine:"
    """What scopes are called there: `vitrine:search`, `vitrine:merchandise`, `vitrine:analyse`, `vitrine:admin`."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.issuer is None) != (self.audience is None):
            raise ValueError("issuer and audience are given together or not at all")
        return self

    @field_validator("issuer")
    @classmethod
    def _secure(cls, issuer: str | None) -> str | None:
        if issuer is not None and not issuer.startswith("https://"):
            raise ValueError("must be an https:// address")
        return issuer


class AccessSettings(Frozen):
    """Who may do what. Desk, bench and all that changes something need a key everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    public: tuple[Literal["search", "metrics"], ...] | None = None
    """What is open without a key; absent: both where the service listens on this machine alone and neither `hosts` nor
    `load.proxies` tells of a proxy there that others come through, else nothing."""
    hosts: tuple[str, ...] = ()
    """Host names that requests may be addressed to, `*.shop.example` too; absent: any beyond this machine, and on it
    this machine's own names, so that a page of another site cannot reach in under a name of its own."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may call the API, as https://shop.example."""
    per_key: Rate = "1200/minute"
    """Requests of one key."""
    per_address: Rate = "600/minute"
    """Requests of one address that come without a key; IPv6 addresses of one /64 count together."""
    redis: SecretStr | None = None
    """redis://… where several processes count rates together (extra `redis`); absent: each process by itself."""
    audit_days: PositiveInt = 365
    """How long the record of changes is kept."""
    oidc: OidcSettings = OidcSettings()

    @field_validator("origins")
    @classmethod
    def _named(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if any(not one.startswith(("https://", "http://")) or one.count("/") != 2 for one in origins):
            raise ValueError("must be origins as https://shop.example, each named; * is none")
        return origins


class LoadSettings(Frozen):
    """How much the service takes on at a time; what is more is told to come again, with 503 and Retry-After."""

    searches: PositiveInt | None = None
    """Searches at work at a time in one process; absent: one per core and one more. More where they wait for a store
    or an endpoint elsewhere."""
    waiting: Annotated[int, Field(ge=0)] | None = None
    """Searches that wait for their turn; absent: sixteen times as many. The newest go first once many wait."""
    wait_seconds: Seconds = 0.5
    """How long one waits before it is sent away; a search half of `seconds`, while no more wait than have a place."""
    slow_work: PositiveInt = 4
    """Drawing, asking and verifying for shoppers at a time, and as much again of what is put and compared by the shop's
    own people."""
    seconds: Seconds = 15.0
    """Deadline of a search from when it has arrived; its stages are not begun after that. Pictures that it has drawn
    have a time of their own on top."""
    body_seconds: Seconds = 30.0
    """How long a request's body may take to arrive."""
    connections: PositiveInt = 500
    """Connections that are open at a time in one process, idle ones too; requests of more get 503 unread. Each takes a
    file: what the system allows a process must be more by a hundred."""
    drain_seconds: Seconds = 10.0
    """How long requests that are under way may go on once the service is told to stop."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""


class TelemetrySettings(Frozen):
    """What the service tells about itself."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
    """Of the log: `auto` is for people on a terminal and JSON elsewhere."""
    slow_ms: PositiveInt = 1000
    """Searches that take longer are logged with where the time went."""
    traces: bool = False
    """Export OpenTelemetry traces to where the standard variables OTEL_EXPORTER_OTLP_… say (extra `telemetry`)."""


class BackupSettings(Frozen):
    url: str | None = None
    """Where `vitrine backup` writes to: a directory or an object store as fsspec names it; absent: `backups` in
    VITRINE_HOME."""
    keep: PositiveInt = 7
    """Backups that stay there; older ones are deleted after a new one is complete."""

"""Keys, and the sessions that are opened with one. Tokens have 256 random bits, so that a plain hash keeps them."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address

from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.engine import Database
from indexer.catalog.keys import KeyRepository, PageSessionRepository
from indexer.catalog.records import ApiKey
from indexer.catalog.states import Scope
from indexer.errors import InputError, NotIdentified
from indexer.settings import Settings

PREFIX = "vitrine_"
FIRST = "first"
"""The id of the key that the first start makes."""
MOST_NAME = 100
MOST_DAYS = 3650
LONGEST_TOKEN = 8_000
"""Characters; tokens of identity providers have up to a few thousand."""


@dataclass(frozen=True)
class Caller:
    """Who asks: `name` for records; `key` a digest of which key or token it is, '' for nobody in particular; `scopes`
    all that is open to it; `session` where a browser's cookie says so and not the request itself."""

    name: str = ""
    key: str = ""
    scopes: frozenset[Scope] = frozenset()
    session: bool = False


NOBODY = Caller()
LOCAL = Caller("command line", "local", frozenset(Scope))
"""Commands on this machine that go through the running service, whose secret they read in its home."""


class Access:
    """Thread-safe. Everything is in the database, so that several processes agree."""

    def __init__(
        self, database: Database, hours: int = 12, local: str = "", tokens: Callable[[str], Caller] | None = None
    ) -> None:
        """`hours` that a session lasts; `local` is the secret of commands on the same machine, '' for none; `tokens`
        knows whose a token of an identity provider is."""
        self._database = database
        self._lasts = timedelta(hours=hours)
        self._local = local
        self._tokens = tokens

    def first_key(self) -> str | None:
        """An admin key, once: None as soon as there is or was any key."""
        with self._database.begin() as session:
            if not KeyRepository(session).is_empty():
                return None
            key, token = _made(KeyRepository(session), FIRST, "first admin key", (Scope.ADMIN,))
            AuditRepository(session).add(_entry("keys.add", None, key, ""))
        return token

    def add(self, name: str, scopes: Sequence[Scope], days: int | None = None, by: str = "") -> tuple[ApiKey, str]:
        """The key as it is listed, and as it is used, which nobody can tell again. `days` that it opens anything; None:
        until it is revoked. `by`: who makes it, for the record. Raises InputError for the name or the days."""
        if not 0 < len(name.strip()) <= MOST_NAME or not name.isprintable():
            raise InputError(f"A key's name says whose it is, in 1 to {MOST_NAME} characters on one line.")
        if days is not None and not 0 < days <= MOST_DAYS:
            raise InputError(f"A key opens something for 1 to {MOST_DAYS} days.")
        with self._database.begin() as session:
            made = _made(KeyRepository(session), secrets.token_hex(8), name.strip(), tuple(scopes), days)
            AuditRepository(session).add(_entry("keys.add", None, made[0], by))
        return made

    def keys(self) -> list[ApiKey]:
        """Oldest first, the revoked ones too."""
        with self._database.session() as session:
            return KeyRepository(session).all()

    def any_live(self) -> bool:
        """Whether there is a key that opens anything now."""
        now = datetime.now(UTC)
        return any(key.opens(scope, now) for key in self.keys() for scope in Scope)

    def revoke(self, key_id: str, by: str = "") -> ApiKey:
        """Whoever is signed in with it is signed out. `by`: who does it, for the record. Raises UnknownKey."""
        with self._database.begin() as session:
            keys = KeyRepository(session)
            was = next((one for one in keys.all() if one.id == key_id), None)
            key = keys.revoke(key_id, datetime.now(UTC))
            if key != was:
                AuditRepository(session).add(_entry("keys.revoke", was, key, by))
        return key

    def sign_in(self, token: str) -> str | None:
        """What the cookie is to say; None for a key that opens nothing."""
        now, cookie = datetime.now(UTC), secrets.token_urlsafe(32)
        with self._database.begin() as session:
            key = KeyRepository(session).find(_digest(token.strip()))
            if key is None or not any(key.opens(scope, now) for scope in Scope):
                return None
            PageSessionRepository(session).open(_digest(cookie), key.id, now, now + self._lasts)
        return cookie

    def signed_in(self, cookie: str) -> ApiKey | None:
        """Whose session it is; None when it is over."""
        with self._database.session() as session:
            return PageSessionRepository(session).find(_digest(cookie), datetime.now(UTC))

    def caller(self, token: str, nearby: bool) -> Caller:
        """Whose key or token a request brings; `nearby`: from this machine. Raises NotIdentified, CatalogueUnavailable,
        and UnavailableError for a token whose provider cannot be reached."""
        if self._local and nearby and secrets.compare_digest(token.encode(), self._local.encode()):
            return LOCAL
        if self._tokens is not None and is_token(token):
            return self._tokens(token)
        with self._database.session() as session:
            key = KeyRepository(session).find(_digest(token)) if len(token) <= LONGEST_TOKEN else None
        caller = None if key is None else _caller(key)
        if caller is None:
            raise NotIdentified("The key opens nothing: it is unknown, revoked or expired; see: vitrine keys list.")
        return caller

    def visitor(self, cookie: str) -> Caller | None:
        """Who is signed in; None when the session is over, or the key opens nothing any more."""
        key = self.signed_in(cookie)
        return None if key is None else _caller(key, session=True)

    def sign_out(self, cookie: str) -> None:
        with self._database.begin() as session:
            PageSessionRepository(session).close(_digest(cookie))


def is_token(text: str) -> bool:
    """Whether it is written as tokens of identity providers are: three parts with dots between."""
    return not text.startswith(PREFIX) and text.count(".") == 2 and len(text) <= LONGEST_TOKEN


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own, for itself alone."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def public_parts(settings: Settings) -> frozenset[str]:
    """What is open without a key, of `search` and `metrics`. Named hosts and proxies tell of a proxy on this machine,
    through which anybody comes."""
    access = settings.access
    if access.public is not None:
        return frozenset(access.public)
    alone = is_loopback(settings.service.host) and not access.hosts and not settings.load.proxies
    return frozenset({"search", "metrics"}) if alone else frozenset()


def _caller(key: ApiKey, session: bool = False) -> Caller | None:
    now = datetime.now(UTC)
    scopes = frozenset(scope for scope in Scope if key.opens(scope, now))
    return Caller(key.name, short_digest(key.id), scopes, session) if scopes else None


def short_digest(name: str) -> str:
    """For records and budgets: enough of it to tell apart whoever there is."""
    return _digest(name)[:16]


def _made(
    keys: KeyRepository, key_id: str, name: str, scopes: tuple[Scope, ...], days: int | None = None
) -> tuple[ApiKey, str]:
    token, now = PREFIX + secrets.token_urlsafe(32), datetime.now(UTC)
    key = ApiKey(key_id, name, scopes, now, None if days is None else now + timedelta(days=days))
    keys.add(key, _digest(token))
    return key, token


def _entry(action: str, was: ApiKey | None, now: ApiKey, by: str) -> AuditEntry:
    before, after = (None if one is None else _told(one) for one in (was, now))
    return AuditEntry(now.revoked_at or now.created_at, by, action, "", now.id, before, after)


def _told(key: ApiKey) -> dict[str, object]:
    """What is listed of it."""
    moments = {"expires": key.expires_at, "revoked": key.revoked_at}
    told = {name: at.isoformat(timespec="seconds") for name, at in moments.items() if at is not None}
    return {"name": key.name, "opens": [scope.value for scope in key.scopes], **told}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

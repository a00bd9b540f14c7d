"""Bearer tokens of an identity provider (OpenID Connect): signed by it, for this service, in force now."""

import ssl
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import httpx2

from indexer.breaker import Breaker
from indexer.catalog.states import Scope
from indexer.errors import NotIdentified, SettingsError, UnavailableError
from indexer.operating_settings import OidcSettings
from service.access import MOST_NAME, Caller, short_digest

if TYPE_CHECKING:
    from jwt import PyJWK, PyJWKClient

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the provider can make; with the shared secret of HS256 whoever verifies could sign too."""
LEEWAY_SECONDS: Final = 60
"""Between the provider's clock and ours."""
TIMEOUT_SECONDS: Final = 5.0
KEPT_SECONDS: Final = 3600.0
"""The provider's keys."""
REFRESH_SECONDS: Final = 30.0
"""A token may name a key that is newer than those kept. As often they are fetched again, however many such come."""
REST_SECONDS: Final = 10.0
_UNKNOWN: Final = "The token opens nothing: {}."


class OidcTokens:
    """Thread-safe. The provider is asked for its keys when the first token comes, and seldom after that."""

    def __init__(self, settings: OidcSettings, trust: ssl.SSLContext | None = None) -> None:
        """`trust`: whose certificates are believed; default: what the system believes.

        Raises SettingsError without the extra."""
        try:
            import jwt
        except ImportError as error:
            raise SettingsError("access.oidc needs the extra oidc: pip install 'vitrine[oidc]'.") from error
        self._jwt = jwt
        self._settings = settings
        self._trust = trust
        self._client: PyJWKClient | None = None
        self._asked_at = -REFRESH_SECONDS
        self._breaker = Breaker(failures=1, rest_seconds=REST_SECONDS)
        self._lock = threading.Lock()

    def __call__(self, token: str) -> Caller:
        """Whose token it is. Raises NotIdentified; UnavailableError while the provider's keys cannot be fetched."""
        try:
            head = self._jwt.get_unverified_header(token)
            key = self._key(str(head.get("kid", "")))
            claims = self._jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except self._jwt.ExpiredSignatureError as error:
            raise NotIdentified(_UNKNOWN.format("it has expired")) from error
        except (self._jwt.InvalidTokenError, self._jwt.PyJWKError) as error:
            raise NotIdentified(_UNKNOWN.format("it is not one of the configured provider for this service")) from error
        return self._caller(claims)

    def _caller(self, claims: Mapping[str, object]) -> Caller:
        """A token without any of our scopes is somebody's all the same: what it asks for is refused by name."""
        prefix = self._settings.prefix
        named = {word.removeprefix(prefix) for word in _words(claims, self._settings.claim) if word.startswith(prefix)}
        scopes = frozenset(Scope) if Scope.ADMIN in named else frozenset(scope for scope in Scope if scope in named)
        opened = scopes | {Scope.SEARCH} if scopes else scopes
        return Caller(_shown(claims), short_digest(f"{claims['iss']} {claims['sub']}"), opened)

    def _key(self, kid: str) -> "PyJWK":
        with self._lock:
            found = self._kept(kid)
            if found is None and time.monotonic() - self._asked_at >= REFRESH_SECONDS:
                found = self._fetched(kid)
        if found is None:
            raise NotIdentified(_UNKNOWN.format("no key of the provider is called as it says"))
        return found

    def _kept(self, kid: str) -> "PyJWK | None":
        if self._client is None or self._client.jwk_set_cache is None:
            return None
        keys = self._client.jwk_set_cache.get()
        return None if keys is None else next((one for one in keys.keys if one.key_id == kid), None)

    def _fetched(self, kid: str) -> "PyJWK | None":
        if not self._breaker.allows():
            raise UnavailableError("The identity provider does not answer; keys go on opening what they open.")
        try:
            self._client = self._client or self._discovered()
            keys = self._client.get_jwk_set(refresh=True)
        except (httpx2.HTTPError, self._jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
            self._breaker.failed()
            raise UnavailableError(
                f"The identity provider does not answer as one does ({type(error).__name__}); "
                "keys go on opening what they open."
            ) from error
        self._breaker.succeeded()
        self._asked_at = time.monotonic()
        return next((one for one in keys.keys if one.key_id == kid), None)

    def _discovered(self) -> "PyJWKClient":
        """Raises ValueError for a document that is not the issuer's own, or keys that come unprotected."""
        issuer = str(self._settings.issuer)
        place = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = httpx2.get(place, timeout=TIMEOUT_SECONDS, verify=self._trust or True).raise_for_status().json()
        uri = str(answer["jwks_uri"])
        if answer["issuer"] != issuer or not uri.startswith("https://"):
            raise ValueError("not the issuer's own")
        return self._jwt.PyJWKClient(
            uri, cache_jwk_set=True, lifespan=KEPT_SECONDS, timeout=TIMEOUT_SECONDS, ssl_context=self._trust
        )


def _shown(claims: Mapping[str, object]) -> str:
    """`ann (u-1)`: people may edit their names, so that the provider's own word for them, which stays, is told too."""
    name, subject = (
        "".join(letter for letter in str(claims.get(claim) or "") if letter.isprintable())[:MOST_NAME]
        for claim in ("preferred_username", "sub")
    )
    return f"{name or 'token'} ({subject})"


def _words(claims: Mapping[str, object], path: str) -> list[str]:
    """What a claim lists: words with spaces between, or a list of them; a dot leads inside."""
    found: object = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return found.split()
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

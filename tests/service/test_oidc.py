"""Bearer tokens of an identity provider that answers on this machine."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from indexer.catalog.states import Scope
from indexer.errors import NotIdentified, UnavailableError
from indexer.operating_settings import OidcSettings
from service.access import LOCAL
from service.oidc import OidcTokens

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
FORGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Signed:
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | str = KEY
    kid: str = "first"
    algorithm: str = "RS256"


IN_ORDER = Signed()


class Provider:
    """Publishes its `keys`; `asked` counts how often it was asked for them."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: dict[str, object] = {"first": KEY.public_key()}
        self.asked = 0
        self.broken = False

    def document(self, path: str) -> dict[str, object]:
        if path.endswith("openid-configuration"):
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.asked += 1
        return {"keys": [self._published(name, key) for name, key in self.keys.items()]}

    def _published(self, name: str, key: object) -> dict[str, object]:
        if isinstance(key, rsa.RSAPublicKey):
            return {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": name, "alg": "RS256"}
        assert isinstance(key, ec.EllipticCurvePublicKey)
        return {**ECAlgorithm.to_jwk(key, as_dict=True), "kid": name}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def provider(authority: trustme.CA) -> Iterator[Provider]:
    provider = Provider()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = b"<html>" if provider.broken else json.dumps(provider.document(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        provider.url = f"https://localhost:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield provider
        server.shutdown()
        thread.join()


@pytest.fixture
def tokens(provider: Provider, authority: trustme.CA) -> OidcTokens:
    return opened(provider, authority)


def opened(provider: Provider, authority: trustme.CA, **settings: str) -> OidcTokens:
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return OidcTokens(OidcSettings(issuer=provider.url, audience="vitrine", **settings), trust)


def token(provider: Provider, signed: Signed = IN_ORDER, /, **claims: object) -> str:
    """One that is in order but for what is said."""
    usual = {"iss": provider.url, "aud": "vitrine", "sub": "u-1", "exp": time.time() + 300, "scope": "vitrine:search"}
    said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return jwt.encode(said, signed.key, signed.algorithm, headers={"kid": signed.kid})


def test_a_token_opens_what_it_names(tokens: OidcTokens, provider: Provider) -> None:
    ann = tokens(token(provider, preferred_username="ann", scope="openid vitrine:merchandise vitrine:unheard-of"))
    assert (ann.name, set(ann.scopes)) == ("ann (u-1)", {Scope.SEARCH, Scope.MERCHANDISE})
    admin, nothing = tokens(token(provider, scope="vitrine:admin")), tokens(token(provider, scope="admin", sub="u-2"))
    assert (admin.name, set(admin.scopes), len(nothing.scopes)) == ("token (u-1)", set(Scope), 0)
    assert admin.key == ann.key != nothing.key
    assert provider.asked == 1


def test_nobody_is_called_as_a_command_or_a_key_is(tokens: OidcTokens, provider: Provider) -> None:
    names = [LOCAL.name, "shopfront", "bob (u-2)", "\n", ""]
    called = [tokens(token(provider, preferred_username=name)).name for name in names]
    assert called == ["command line (u-1)", "shopfront (u-1)", "bob (u-2) (u-1)", "token (u-1)", "token (u-1)"]


def test_scopes_may_lie_deeper_and_be_called_otherwise(provider: Provider, authority: trustme.CA) -> None:
    tokens = opened(provider, authority, claim="realm_access.roles", prefix="shop-")
    roles = {"realm_access": {"roles": ["shop-analyse", "vitrine:admin", 7]}}
    assert tokens(token(provider, **roles)).scopes == {Scope.SEARCH, Scope.ANALYSE}
    assert tokens(token(provider, realm_access="shop-analyse")).scopes == set()


def test_a_key_that_the_provider_takes_up_is_found(tokens: OidcTokens, provider: Provider) -> None:
    provider.keys["second"] = CURVE.public_key()
    assert tokens(token(provider, Signed(CURVE, "second", "ES256"))).scopes == {Scope.SEARCH}


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another service"},
        {"aud": None},
        {"iss": "https://localhost"},
        {"iss": None},
        {"exp": time.time() - 3600},
        {"exp": None},
        {"nbf": time.time() + 86_400},
        {"sub": None},
    ],
)
def test_what_is_not_for_us_or_not_in_force_opens_nothing(
    tokens: OidcTokens, provider: Provider, claims: dict[str, object]
) -> None:
    with pytest.raises(NotIdentified, match="The token opens nothing"):
        tokens(token(provider, **claims))


def test_clocks_may_differ_a_little(tokens: OidcTokens, provider: Provider) -> None:
    assert tokens(token(provider, exp=time.time() - 20, nbf=time.time() + 20)).scopes == {Scope.SEARCH}


def test_what_the_provider_did_not_sign_opens_nothing(tokens: OidcTokens, provider: Provider) -> None:
    unsigned = jwt.encode({"iss": provider.url, "aud": "vitrine", "sub": "u", "exp": time.time() + 9}, "", "none")
    by_secret = token(provider, Signed("x" * 64, algorithm="HS256"))
    for forged in (token(provider, Signed(FORGER)), unsigned, by_secret, token(provider)[:-4], "a.b.c", "ü.b.c"):
        with pytest.raises(NotIdentified):
            tokens(forged)


def test_invented_keys_do_not_make_us_ask_the_provider_each_time(tokens: OidcTokens, provider: Provider) -> None:
    tokens(token(provider))
    for number in range(20):
        with pytest.raises(NotIdentified, match="no key of the provider"):
            tokens(token(provider, Signed(kid=f"invented-{number}")))
    assert provider.asked == 1


def test_a_provider_that_does_not_answer_as_one_is_left_alone_for_a_while(
    tokens: OidcTokens, provider: Provider
) -> None:
    provider.broken = True
    for _ in range(5):
        with pytest.raises(UnavailableError, match="keys go on"):
            tokens(token(provider))
    provider.broken = False
    with pytest.raises(UnavailableError, match="keys go on"):
        tokens(token(provider))
    assert provider.asked == 0


def test_settings_name_the_provider_whole() -> None:
    for wrong in (
        {"issuer": "https://id.example"},
        {"audience": "x"},
        {"issuer": "http://id.example", "audience": "x"},
    ):
        with pytest.raises(ValueError, match=r"together|https"):
            OidcSettings.model_validate(wrong)

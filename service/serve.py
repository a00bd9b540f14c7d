"""Running the service: one process that owns the embedded store.

What answers requests is imported while the shop is opened beside it: half of that is the work of other cores.
"""

import gc
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from math import ceil
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypedDict

from indexer.bootstrap import load_settings, open_catalogue, run_inner_worker
from indexer.breaker import Breaker
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import REST_SECONDS, RESTS_AFTER
from indexer.catalog.published import PublishedRepository
from indexer.errors import ConflictError, NothingPublished, SettingsError, VitrineError
from indexer.logs import install_logs
from indexer.settings import Settings
from service.access import Access, is_loopback, public_parts
from service.address import announce, running_service, withdraw
from service.allocator import bound_arenas
from service.bootstrap import open_busy_shop
from service.metrics import count_together
from service.shop import Shop

if TYPE_CHECKING:
    from fastapi import FastAPI

    from service.connections import PatientConnection, Server
    from service.oidc import OidcTokens

FIRST_KEY = """
  The desk (/desk) and the bench (/bench) open with this key, which is shown only now:

      {key}

"""
UNGUARDED = (
    "service.host is {host}, which others than this machine can reach, and there is no key that opens anything. "
    "Make one with: vitrine keys add NAME --scope admin. A search that is open to everybody needs "
    "VITRINE_ACCESS__PUBLIC='[\"search\"]'."
)


def serve(settings: Settings) -> None:
    """Blocks until the process is told to stop.

    Raises ConflictError when this VITRINE_HOME already has a service, SettingsError for several workers on the
    embedded store, a home that cannot be written in, an address that cannot be listened on or one beyond this machine
    while there is neither a key nor anything public, StoreMismatch or
    EncoderMismatch for a published build that cannot be searched.
    """
    bound_arenas()
    install_logs(settings.telemetry)
    if settings.service.workers > 1:
        _serve_many(settings)
        return
    other = running_service(settings.home)
    if other is not None:
        raise ConflictError(f"A service for {settings.home} is already running at {other}.")
    _demand_guard(settings)
    secret = secrets.token_urlsafe(32)
    with _listen(settings.service.host, settings.service.port) as listening:
        with _made_to_stay():
            shop = open_busy_shop(settings)
            shop.begin()
            with ThreadPoolExecutor(1, "warm-shop") as beside:
                warm = beside.submit(_warm, shop)
                app = _application(settings, lambda: shop, secret)
                server = _server(app, settings)
            warm.result()
        _tell_first_key(settings)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # uvicorn, once shut down, raises the signal it got again
        host, port = listening.getsockname()[:2]
        address = f"http://{_reached_at(host)}:{port}"
        _tell_start(settings, address)
        announce(settings.home, address, app.state.instance, secret)
        try:
            with _worker(settings):
                _stay_responsive()
                server.run(sockets=[listening])
        finally:
            withdraw(settings.home)
            gc.unfreeze()


@contextmanager
def _made_to_stay() -> Iterator[None]:
    """The collector looks for no cycles among what is made within, neither now nor until `gc.unfreeze`: most of it is
    modules, and a build that is served no more goes without it."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def _stay_responsive() -> None:
    """Threads that search give the interpreter up more often than every 5 ms, so that requests are taken and sent away
    while as many search as may."""
    sys.setswitchinterval(0.001)


def _server(app: "FastAPI", settings: Settings) -> "Server":
    """Told to stop, it is no longer ready at once."""
    from uvicorn import Config

    from service.connections import Server

    stopping = partial(setattr, app.state, "draining", True)
    return Server(Config(app, **_server_options(settings)), stopping)


def create() -> "FastAPI":
    """The application of one of several worker processes, which read the settings themselves."""
    settings = load_settings()
    _stay_responsive()
    install_logs(settings.telemetry)
    return _application(settings, partial(open_busy_shop, settings))


def _application(settings: Settings, open_shop: Callable[[], Shop], secret: str = "") -> "FastAPI":
    """Commands on this machine that know the `secret` may do everything; without one none may."""
    from service.api.app import create_app
    from service.web.installing import install_pages

    hurried = Breaker(RESTS_AFTER, REST_SECONDS)
    access = Access(open_catalogue(settings, hurried), settings.pages.session_hours, secret, _tokens(settings))
    return create_app(open_shop, settings, access, partial(install_pages, settings=settings, access=access))


def _tokens(settings: Settings) -> "OidcTokens | None":
    """None where no issuer is named."""
    if not settings.access.oidc.issuer:
        return None
    from service.oidc import OidcTokens

    return OidcTokens(settings.access.oidc)


def _demand_guard(settings: Settings) -> None:
    """Raises SettingsError for what would be reached from elsewhere by nobody, or by everybody without anyone having
    said so."""
    if is_loopback(settings.service.host) or "search" in public_parts(settings) or settings.access.oidc.issuer:
        return
    if not Access(open_catalogue(settings)).any_live():
        raise SettingsError(UNGUARDED.format(host=settings.service.host))


class _ServerOptions(TypedDict):
    log_config: None
    access_log: bool
    timeout_graceful_shutdown: int
    limit_concurrency: int
    proxy_headers: bool
    forwarded_allow_ips: list[str]
    server_header: bool
    http: "type[PatientConnection]"


def _server_options(settings: Settings) -> _ServerOptions:
    """A page that follows a build keeps its connection open, which ends with the time that requests have at the end.
    Who asks is who opened the connection, unless that is a proxy that is believed."""
    from service.connections import PatientConnection

    load = settings.load
    return {
        "log_config": None,
        "access_log": False,
        "timeout_graceful_shutdown": ceil(load.drain_seconds),
        "limit_concurrency": load.connections,
        "proxy_headers": bool(load.proxies),
        "forwarded_allow_ips": list(load.proxies),
        "server_header": False,
        "http": PatientConnection,
    }


def _tell_first_key(settings: Settings) -> None:
    """The first start there ever is makes the key that opens the pages of the shop's people."""
    key = Access(open_catalogue(settings)).first_key()
    if key is not None:
        print(FIRST_KEY.format(key=key), file=sys.stderr, flush=True)


def _tell_start(settings: Settings, address: str) -> None:
    """One line of the log: what serves what, to whom."""
    with open_catalogue(settings).session() as session:
        published = PublishedRepository(session)
        builds = {name: published.get(name).build for name in published.names()}
        manifests = [BuildRepository(session).manifest(build) for build in builds.values()]
    told = {
        "address": address,
        "version": version("vitrine"),
        "published": builds,
        "encoders": sorted({one.encoder.name for one in manifests if one is not None}),
        "open": sorted(public_parts(settings)),
    }
    logging.getLogger(__name__).info("serving", extra=told)


def _serve_many(settings: Settings) -> None:
    import uvicorn

    if settings.store.kind == "edge":
        raise SettingsError(
            f"service.workers is {settings.service.workers}, but the embedded store has one owner; "
            "set it to 1 or choose another store."
        )
    _demand_guard(settings)
    _tell_first_key(settings)
    _tell_start(settings, f"http://{_reached_at(settings.service.host)}:{settings.service.port}")
    count_together(settings.home / "metrics")
    uvicorn.run(
        "service.serve:create",
        factory=True,
        host=settings.service.host,
        port=settings.service.port,
        workers=settings.service.workers,
        **_server_options(settings),
    )


@contextmanager
def _worker(settings: Settings) -> Iterator[None]:
    """With the embedded store one process more builds what is queued; elsewhere workers are started by themselves."""
    if settings.store.kind != "edge":
        yield
        return
    worker = get_context("spawn").Process(target=run_inner_worker, args=(settings,), name="worker")
    worker.start()
    try:
        yield
    finally:
        worker.terminate()
        worker.join()


def _warm(shop: Shop) -> None:
    """Ready before the first request; without a published build it waits for one."""
    try:
        shop.warm()
    except NothingPublished as error:
        logging.getLogger("uvicorn.error").warning("%s Until then searches are answered with 503.", error)
    except VitrineError:
        shop.close()
        raise


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise SettingsError(f"Cannot listen on {host}:{port}: {reason}.") from error


def _reached_at(host: str) -> str:
    """From this machine; who listens at all its addresses does so at its loopback too."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{own}]" if ":" in own else own

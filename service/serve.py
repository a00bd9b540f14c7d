"""Running the service: one process that owns the embedded store."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context

import uvicorn
from fastapi import FastAPI

from indexer.bootstrap import load_settings, run_inner_worker
from indexer.errors import ConflictError, NothingPublished, SettingsError, VitrineError
from indexer.settings import Settings
from service.address import announce, running_service, withdraw
from service.api.app import create_app
from service.bootstrap import open_busy_shop
from service.shop import Shop

GRACE_SECONDS = 10


def serve(settings: Settings) -> None:
    """Blocks until the process is told to stop.

    Raises ConflictError when this VITRINE_HOME already has a service, SettingsError for several workers on the
    embedded store, a home that cannot be written in or an address that cannot be listened on, StoreMismatch or
    EncoderMismatch for a published build that cannot be searched.
    """
    if settings.service.workers > 1:
        _serve_many(settings)
        return
    other = running_service(settings.home)
    if other is not None:
        raise ConflictError(f"A service for {settings.home} is already running at {other}.")
    with _listen(settings.service.host, settings.service.port) as listening:
        shop = _warmed(open_busy_shop(settings))
        app = create_app(lambda: shop, settings.images.max_bytes)
        config = uvicorn.Config(app, log_level="info", timeout_graceful_shutdown=GRACE_SECONDS)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # uvicorn, once shut down, raises the signal it got again
        host, port = listening.getsockname()[:2]
        announce(settings.home, f"http://{_bracketed(host)}:{port}", app.state.instance)
        try:
            with _worker(settings):
                uvicorn.Server(config).run(sockets=[listening])
        finally:
            withdraw(settings.home)


def create() -> FastAPI:
    """The application of one of several worker processes, which read the settings themselves."""
    settings = load_settings()
    return create_app(partial(open_busy_shop, settings), settings.images.max_bytes)


def _serve_many(settings: Settings) -> None:
    if settings.store.kind == "edge":
        raise SettingsError(
            f"service.workers is {settings.service.workers}, but the embedded store has one owner; "
            "set it to 1 or choose another store."
        )
    uvicorn.run(
        "service.serve:create",
        factory=True,
        host=settings.service.host,
        port=settings.service.port,
        workers=settings.service.workers,
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


def _warmed(shop: Shop) -> Shop:
    """Ready before the first request; without a published build it waits for one."""
    try:
        shop.warm()
    except NothingPublished as error:
        logging.getLogger("uvicorn.error").warning("%s Until then searches are answered with 503.", error)
    except VitrineError:
        shop.close()
        raise
    return shop


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise SettingsError(f"Cannot listen on {host}:{port}: {reason}.") from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

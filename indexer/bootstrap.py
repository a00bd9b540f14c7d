"""The composition root of the index side: settings into objects. Importing it opens nothing."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import parent_process
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_settings import SettingsError as UnreadableSetting

from indexer.breaker import Breaker
from indexer.catalog.engine import Database, open_database
from indexer.domain import BuildManifest, Frozen
from indexer.encoders import Encoder, devices_of, open_encoder
from indexer.encoders.choosing import open_chosen
from indexer.errors import EncoderMismatch, SettingsError
from indexer.missetting import PREFIX, mistakes, unreadable
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.builds.changing import Seeing
    from indexer.builds.pipeline import Pipeline


def load_settings() -> Settings:
    """Raises SettingsError naming the field, in one sentence per mistake."""
    _refuse_misspelt(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(f"Settings are wrong. {mistakes(error)}.") from None
    except UnreadableSetting as error:
        raise SettingsError(f"Settings are wrong. {unreadable(error, os.environ)}.") from error
    except TOMLDecodeError as error:
        raise SettingsError(f"vitrine.toml is not TOML: {error}.") from error


def open_catalogue(settings: Settings, hurried: Breaker | None = None) -> Database:
    """The catalogue database at its newest schema, made when it is not there. `hurried` is that of a service, which
    answers nobody while it waits.

    Raises SettingsError, CatalogueUnavailable.
    """
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"home: the directory {settings.home} cannot be made: {error.strerror}.") from error
    database = catalogue_of(settings, hurried)
    database.upgrade()
    return database


def catalogue_of(settings: Settings, hurried: Breaker | None = None) -> Database:
    """The catalogue database as it is. Raises SettingsError for an address that is none."""
    url = settings.database.url
    place = url.get_secret_value() if url else f"sqlite:///{(settings.home / 'vitrine.db').resolve()}"
    seconds = None if hurried is None else settings.database.seconds
    return open_database(place, seconds, hurried)


def encoder_of(manifest: BuildManifest, settings: Settings) -> Encoder:
    """The encoder that made the build's vectors: its export where builds chose it, else the model by torch. Device,
    precision and runtime come from the settings.

    Raises EncoderMismatch when the model of that name is no longer the one the build was made with, SettingsError.
    """
    wanted = manifest.encoder
    exported = open_chosen(settings.home, wanted, settings.encoder)
    if exported is not None:
        return exported
    encoder = open_encoder(settings.encoder.model_copy(update={"name": wanted.name}))
    found = encoder.spec.identity
    if found != wanted:
        raise EncoderMismatch(
            f"Build {manifest.build} of catalog {manifest.catalog} was made with encoder {wanted.name} "
            f"{wanted.fingerprint[:12]}, and {found.name} here is {found.fingerprint[:12]}. "
            "Put the old weights back or build the catalogue again."
        )
    return encoder


def override(store: str | None, encoder: str | None) -> Settings:
    """The effective settings with a command's own choices on top. Raises SettingsError."""
    changes = {"store": {"kind": store} if store else None, "encoder": {"name": encoder} if encoder else None}
    settings = load_settings()
    given = {
        section: _changed(section, getattr(settings, section), change) for section, change in changes.items() if change
    }
    return settings.model_copy(update=given)


@contextmanager
def seeing(database: Database, settings: Settings, build: str) -> Iterator["Seeing"]:
    """Reading photos and texts as the build does, for products that are put live. Raises like `encoder_of`."""
    from indexer.builds.changing import Seeing
    from indexer.builds.embeddings import Embeddings
    from indexer.builds.live import read_layout
    from indexer.images.decoders import DecoderPool

    manifest, _ = read_layout(database, build)
    with DecoderPool.of(settings.images) as decoders:
        yield Seeing(
            encoder_of(manifest, settings),
            Embeddings(settings.home, manifest.encoder, settings.embeddings.url),
            decoders,
        )


def run_worker(settings: Settings) -> None:
    """Build what the ledger asks for until the process is told to stop; a build under way is left to the next one."""
    from indexer.builds.worker import Worker
    from indexer.logs import install_logs

    install_logs(settings.telemetry)
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, lambda *_: sys.exit())

    def open_named(name: str) -> Encoder:
        return open_encoder(settings.encoder.model_copy(update={"name": name}))

    Worker(open_catalogue(settings), settings, open_named, _pipeline_over).run()


def run_inner_worker(settings: Settings) -> None:
    """`run_worker` as a child of the service: it gives way to it, and goes when it is gone."""
    from indexer.stores.child import NICENESS

    os.nice(NICENESS)
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    run_worker(settings)


def open_pipeline(database: Database, settings: Settings, on_ray: bool = False) -> "Pipeline":
    """Raises SettingsError, also when Ray is wanted and not installed."""
    encoder = open_encoder(settings.encoder)
    if not on_ray:
        return _pipeline_over(database, settings, encoder)
    from indexer.builds.embedder import Equipment
    from indexer.builds.pipeline import Pipeline
    from indexer.scale import OnRay

    on_cluster = OnRay(Equipment.of(settings, encoder.spec.identity), encoder.spec)
    return Pipeline(database, settings, encoder, embedder=on_cluster)


def _pipeline_over(database: Database, settings: Settings, encoder: Encoder) -> "Pipeline":
    """With the encoder's export where it may be used; several devices have torch each. Raises SettingsError."""
    from indexer.builds.pipeline import Pipeline
    from indexer.encoders.exports import Exports

    alone = len(devices_of(settings.encoder.device)) == 1
    exports = Exports.of(settings.home, settings.encoder, encoder) if alone else None
    return Pipeline(database, settings, encoder, exports=exports)


def _outlive_nobody() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _changed(section: str, before: Frozen, change: dict[str, str]) -> Frozen:
    try:
        return type(before).model_validate({**before.model_dump(), **change})
    except ValidationError as error:
        raise SettingsError(f"Settings are wrong. {mistakes(error, section)}.") from None


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    """A variable of ours that names no setting would otherwise be passed over in silence."""
    known = [f"{PREFIX}{name}".upper() for name in Settings.model_fields]
    for variable in environment:
        section = variable.upper().partition("__")[0]
        if section.startswith(PREFIX) and section not in known and not section.startswith("VITRINE_TEST_"):
            from difflib import get_close_matches

            near = get_close_matches(section, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{variable} in the environment is not a setting.{hint}")

"""Every part in turn. Whatever goes wrong in looking is what was found."""

from collections.abc import Iterator, Sequence
from typing import Final

from indexer.bootstrap import catalogue_of
from indexer.errors import VitrineError
from indexer.settings import Settings
from service.doctor import catalogue, guarding, machine, outside
from service.doctor.finding import Finding, State, fault, warning
from service.doctor.patient import Check, Patient

OF_DATABASE: Final[Sequence[tuple[str, Check]]] = (
    ("database", catalogue.check_database),
    ("published", catalogue.check_builds),
    ("builds", catalogue.check_published),
    ("keys", guarding.check_keys),
)
OTHERS: Final[Sequence[tuple[str, Check]]] = (
    ("home", machine.check_home),
    ("file limit", machine.check_files),
    ("encoder", catalogue.check_encoder),
    ("gpu", machine.check_device),
    ("decoders", machine.check_decoders),
    ("exposure", guarding.check_exposure),
    ("endpoints", outside.check_endpoints),
    ("generators", outside.check_generators),
    ("storage", outside.check_storage),
    ("redis", outside.check_redis),
    ("oidc", outside.check_oidc),
    ("backups", guarding.check_backups),
    ("service", machine.check_service),
)


def examine(settings: Settings, online: bool = False) -> Iterator[Finding]:
    """Never raises. The schema is not upgraded, and nothing stays that was written to see whether it can be."""
    try:
        patient = Patient(settings, catalogue_of(settings), online)
    except VitrineError as error:
        yield fault("database", str(error), "see database.url")
        return
    if settings.database.url is None and not (settings.home / "vitrine.db").exists():
        yield warning("database", f"there is none in {settings.home} yet", "vitrine demo, or vitrine build CATALOGUE")
    else:
        yield from _with_database(patient)
    for part, check in OTHERS:
        yield from _looked(part, check, patient)
    patient.database.dispose()


def _with_database(patient: Patient) -> Iterator[Finding]:
    """Where the database is away, that is the one fault."""
    away = False
    for part, check in OF_DATABASE:
        if away:
            yield warning(part, "not looked at: the database is away", "mend the database, then look again")
            continue
        for one in _looked(part, check, patient):
            away = away or (part == "database" and one.state is State.FAULT)
            yield one


def _looked(part: str, check: Check, patient: Patient) -> Iterator[Finding]:
    try:
        yield from check(patient)
    except (VitrineError, OSError) as error:
        yield fault(part, str(error), "mend that first, then look again")
    except Exception as error:  # noqa: BLE001  # what examines the others must not break itself
        yield fault(part, f"looking at it broke: {type(error).__name__}: {error}", "report it, with this line")

"""What the service is guarded with: keys, what is open to whom, backups."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from indexer.backup.keeping import document_name, list_backups
from indexer.backup.vaults import open_vault, vault_place
from indexer.catalog.states import Scope
from service.access import Access, is_loopback, public_parts
from service.doctor.finding import Finding, fault, ok, warning
from service.doctor.patient import Patient

SOON: Final = timedelta(days=14)
STALE: Final = timedelta(days=2)
"""Of the newest backup: one was missed, where one is taken each day."""


def check_keys(patient: Patient) -> Iterator[Finding]:
    now = datetime.now(UTC)
    keys = Access(patient.database).keys()
    live = [key for key in keys if any(key.opens(scope, now) for scope in Scope)]
    if not live:
        yield warning("keys", "no key opens anything", "vitrine keys add NAME --scope admin")
        return
    yield ok("keys", f"{len(live)} keys are in force")
    for key in live:
        if key.expires_at is not None and key.expires_at - now < SOON:
            said = f"{key.name} ({key.id}) expires on {key.expires_at:%Y-%m-%d}"
            yield warning("key", said, "make another one and hand it out before: vitrine keys add")


def check_exposure(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    host, open_to_all = settings.service.host, sorted(public_parts(settings))
    said = f"it listens on {host}; without a key: {', '.join(open_to_all) or 'nothing'}"
    if is_loopback(host):
        yield ok("exposure", said)
        return
    if "metrics" in open_to_all:
        yield warning("exposure", said, "leave metrics out of access.public; Prometheus can send a key")
    elif not settings.access.hosts:
        yield warning("exposure", f"{said}; any host name is answered to", "name your hosts in access.hosts")
    else:
        yield ok("exposure", f"{said}; as {', '.join(settings.access.hosts)}")
    if settings.search.urls and not settings.search.url_hosts:
        yield warning("exposure", "photos are fetched from any public host", "name the hosts in search.url_hosts")


def check_backups(patient: Patient) -> Iterator[Finding]:
    place = vault_place(patient.settings)
    backups = list_backups(open_vault(place))
    for one in backups:
        if one.fault:
            todo = f"take another one (vitrine backup), then delete {document_name(one.id)} at {place}"
            yield fault("backup", f"{one.id} cannot be restored: {one.fault}", todo)
    made = [one.created for one in backups if one.created is not None and not one.fault]
    if not made:
        yield warning("backups", f"there is none at {place}", "take one, and each day after: vitrine backup")
        return
    age = datetime.now(UTC) - max(made)
    said = f"{len(made)} at {place}, the newest {age.total_seconds() / 3600:.1f} hours old"
    yield ok("backups", said) if age < STALE else warning("backups", said, "take one each day: vitrine backup")

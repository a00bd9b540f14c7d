"""What is asked over the network: endpoints, object storage, Redis, the identity provider."""

import asyncio
import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from indexer.backup.vaults import open_vault
from indexer.errors import NotIdentified, VitrineError
from indexer.generate_settings import DiffusionSettings
from service.access import short_digest
from service.budget.prices import estimate, price_of
from service.doctor.finding import Finding, fault, ok, warning
from service.doctor.patient import Patient
from service.endpoint import Asked, Endpoint, EndpointFailed

SECONDS: Final = 15.0
"""That an endpoint has for its one answer."""
TOKENS: Final = 16
PROBE: Final = Asked("Answer with the word ok.", ["ok?"], None, TOKENS)
NO_TRIAL: Final = "it is set up, and is not asked without --online"
FOR_NOBODY: Final = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"vitrine-doctor"}').decode().rstrip("=") + ".e30.AA"
"""A token that nobody signed: whoever fetched the provider's keys says that none of them did."""


@dataclass
class _Heard:
    """Told of what failed."""

    faults: list[str] = field(default_factory=list)

    def rate_limited(self, by: str) -> None: ...

    def breaker(self, name: str, state: int) -> None: ...

    def fault(self, dependency: str, kind: str) -> None:
        self.faults.append(kind)


def check_endpoints(patient: Patient) -> Iterator[Finding]:
    rerank, language = patient.settings.rerank, patient.settings.language
    if rerank.endpoint:
        key = None if rerank.api_key is None else rerank.api_key.get_secret_value()
        yield _asked(patient, "rerank", rerank.base_url, key, rerank.model)
    if language.model is not None:
        key = None if language.api_key is None else language.api_key.get_secret_value()
        yield _asked(patient, "language", language.base_url, key, language.model)


def _asked(patient: Patient, section: str, base_url: str | None, key: str | None, model: str) -> Finding:
    price = price_of(model, base_url, patient.settings.budget.prices)
    dollars = estimate(price, 100, 0, "low", TOKENS)
    part = f"endpoint {section}"
    if not patient.online:
        return ok(part, f"{model}: {NO_TRIAL} (at most ${dollars:.6f})")
    endpoint, until = Endpoint(base_url, key, model, setting=section), time.monotonic() + SECONDS
    begun = time.monotonic()
    try:
        endpoint.run(endpoint.ask(PROBE, until, tries=1), until)
    except (EndpointFailed, TimeoutError) as error:
        return fault(part, f"{model}: {error or 'no answer in time'}", f"see {section}.base_url, .model and .api_key")
    finally:
        endpoint.close()
    return ok(part, f"{model} answered in {time.monotonic() - begun:.1f} s, for at most ${dollars:.6f}")


def check_generators(patient: Patient) -> Iterator[Finding]:
    """Those that draw in this process by their weights; endpoints are not asked, because a picture costs cents."""
    generate = patient.settings.generate
    if "diffusion" in generate.generators:
        yield from _weights(generate.diffusion)
    if "openai" in generate.generators and generate.openai.named:
        yield ok("generator openai", f"{generate.openai.model} is set up; it is not asked, because a picture costs")
    if "replicate" in generate.generators and generate.replicate.model:
        yield ok(
            "generator replicate", f"{generate.replicate.model} is set up; it is not asked, because a picture costs"
        )


def _weights(settings: DiffusionSettings) -> Iterator[Finding]:
    if not settings.pipelines:
        return
    from service.generate.diffusion.weights import UnusableWeights, located

    for name, weights in settings.pipelines.items():
        try:
            located(weights, here=True)
        except UnusableWeights as error:
            todo = f"name a directory or a repository in generate.diffusion.pipelines.{name}; it is fetched when used"
            yield warning(f"generator {name}", str(error), todo)
        else:
            yield ok(f"generator {name}", f"{weights} is on this machine")


def check_storage(patient: Patient) -> Iterator[Finding]:
    """What lies elsewhere than on this machine is written, read and deleted once."""
    settings = patient.settings
    for setting, place in (("embeddings.url", settings.embeddings.url), ("backup.url", settings.backup.url)):
        if place is None:
            continue
        probe = settings.home / ".doctor-probe"
        try:
            probe.write_bytes(b"probe")
            vault = open_vault(place)
            vault.put("doctor-probe", probe)
            with vault.open("doctor-probe") as file:
                same = file.read() == b"probe"
            vault.remove("doctor-probe")
        except VitrineError as error:
            yield fault(setting, str(error), "see the address, the extra `remote`, and the driver's credentials")
        else:
            said = f"{place} can be written to, read and deleted from"
            yield (
                ok(setting, said)
                if same
                else fault(setting, f"{place} gave back something else", "choose another place")
            )
        finally:
            probe.unlink(missing_ok=True)


def check_redis(patient: Patient) -> Iterator[Finding]:
    if patient.settings.access.redis is None:
        return
    from service.api.rates import Rates

    heard = _Heard()
    asyncio.run(Rates(patient.settings.access, lambda: heard).tried(short_digest("vitrine doctor")))
    if heard.faults:
        said = f"it does not answer ({heard.faults[0]}); each process counts rates by itself"
        yield warning("redis", said, "see access.redis, and whether Redis runs")
    else:
        yield ok("redis", "it counts")


def check_oidc(patient: Patient) -> Iterator[Finding]:
    oidc = patient.settings.access.oidc
    if oidc.issuer is None:
        return
    from service.oidc import OidcTokens

    try:
        OidcTokens(oidc)(FOR_NOBODY)
    except NotIdentified:
        yield ok("oidc", f"{oidc.issuer} tells its keys")

"""The evaluation gate: what measuring has to say before a build is published."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from eval.gating.findings import Findings, figure, together
from eval.gating.ledger import Ledger
from eval.gating.recall import K, Recall, recall_of
from indexer.builds.embeddings import Embeddings
from indexer.builds.gates import Candidate
from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.domain import BuildManifest, Channel, EncoderIdentity, QueryKind
from indexer.errors import BuildCancelled, BuildInProgress, VitrineError

if TYPE_CHECKING:
    from eval.gating.sides import Access

NAME = "evaluation"


def evaluation_gate(candidate: Candidate, access: "Access | None" = None) -> GateVerdict:
    """Asked through the entry-point group `vitrine.gates`, and by `vitrine eval gate`.

    A check that ends in a named error refuses with its sentence. `access` is how the published build is reached;
    default: by the settings.
    """
    encoder = check_encoder(candidate)
    found = [encoder, _checked(check_recall, candidate)]
    if not encoder.reasons:
        found.append(_checked(lambda one: _check_suites(one, access), candidate))
    whole = together(found)
    return GateVerdict(
        gate=NAME,
        passed=not whole.reasons,
        reasons=tuple(whole.reasons),
        notices=tuple(whole.notices),
        figures=dict(whole.figures),
    )


def check_encoder(candidate: Candidate) -> Findings:
    """The encoder at hand made the build's vectors. Another one than the published build's is told, not refused."""
    made, at_hand = candidate.manifest.encoder, candidate.encoder.spec.identity
    if made != at_hand:
        told = f"The build was made with encoder {_named(made)}, and the one at hand is {_named(at_hand)}."
        return Findings([told])
    if candidate.published is None:
        return Findings()
    with candidate.database.session() as session:
        before = BuildRepository(session).manifest(candidate.published)
    if before is None or before.encoder == made:
        return Findings()
    told = (
        f"The encoder changed from {_named(before.encoder)} to {_named(made)}: every vector and the calibration were "
        f"made anew; cosines from words to photos spread by {_spread(candidate.manifest)}, before by {_spread(before)}."
    )
    return Findings(notices=[told])


def check_recall(candidate: Candidate) -> Findings:
    """The store finds what exact search finds. Raises StoreMismatch when embeddings are gone."""
    manifest, settings = candidate.manifest, candidate.settings
    if settings.store.kind == "memory":
        return Findings(notices=["The memory store searches exactly, so its recall was not checked."])
    embeddings = Embeddings(settings.home, manifest.encoder, settings.embeddings.url)
    ledger = Ledger(candidate.database, embeddings, manifest)
    recall = recall_of(candidate.index.store, ledger, manifest, settings.search)
    if recall is None:
        return Findings(notices=["Recall was not checked: the weights leave no vectors to search by."])
    figures = {f"recall@{K}": recall.mean}
    if recall.mean >= settings.gate.recall:
        return Findings(figures=figures)
    return Findings([_missed(recall, settings.gate.recall)], figures=figures)


def _missed(recall: Recall, wanted: float) -> str:
    kinds = ", ".join(f"{kind} {figure(share)}" for kind, share in recall.by_kind.items())
    return (
        f"The store finds {recall.mean:.3f} of the exact first {K} over {recall.queries} sampled queries ({kinds}), "
        f"less than {wanted:g}: points are missing or damaged, or its graph does not reach them; build again."
    )


def _check_suites(candidate: Candidate, access: "Access | None") -> Findings:
    if candidate.settings.gate.canaries is None and not candidate.settings.gate.suites:
        return Findings()
    from eval.gating.regression import check_suites  # costs a second of imports that most builds do without
    from eval.gating.sides import access_of

    return check_suites(candidate, access or access_of(candidate.settings))


def _checked(check: Callable[[Candidate], Findings], candidate: Candidate) -> Findings:
    try:
        return check(candidate)
    except (BuildInProgress, BuildCancelled):
        raise  # by the watch: the build is another process's now, or nobody wants to know any more
    except VitrineError as error:
        return Findings([str(error)])


def _named(encoder: EncoderIdentity) -> str:
    return f"{encoder.name} {encoder.fingerprint[:12]}"


def _spread(manifest: BuildManifest) -> str:
    return figure(manifest.spreads[QueryKind.TEXT][Channel.IMAGE].deviation)

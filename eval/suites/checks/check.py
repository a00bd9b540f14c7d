"""Every check of a suite, with its catalogue where there is one."""

from eval.generation import Generation
from eval.suites.checks.balance import check_balance, range_of, relevant, tags
from eval.suites.checks.photos import query_prints
from eval.suites.checks.products import categories, check_leaks, check_products, shown_in
from eval.suites.checks.queries import check_queries
from eval.suites.checks.report import Severity, SuiteReport, found, gravest_first
from eval.suites.suite import Split, Suite
from indexer.images.decoders import DecoderPool


def check_suite(suite: Suite, gallery: Generation | None, decoders: DecoderPool) -> SuiteReport:
    """Without a gallery what needs the catalogue is skipped, and said to be."""
    prints, unreadable = query_prints(suite, decoders)
    findings = [
        *found("unreadable-photo", Severity.ERROR, "query photos cannot be read", unreadable),
        *check_queries(suite, prints),
    ]
    kinds: dict[str, int] = {}
    if gallery is not None:
        shown = shown_in(gallery, suite)
        kinds = categories(suite, shown)
        findings += check_products(suite, shown)
        findings += check_leaks(suite, shown, prints, gallery, decoders) if prints else []
    findings += check_balance(suite, kinds)
    skipped = f"products, leaks into the gallery and categories: no build of catalog {suite.card.catalog} is published"
    return SuiteReport(
        suite=suite.card.name,
        digest=suite.digest,
        catalog=suite.card.catalog if gallery is None else gallery.catalog,
        queries=len(suite.queries),
        absent=len(suite.queries) - len(suite.judged),
        judgements=sum(len(grades) for grades in suite.qrels.values()),
        halves={split.value: len(suite.part(split).queries) for split in Split},
        tags=tags(suite),
        categories=kinds,
        relevant=range_of(relevant(suite)),
        findings=gravest_first(findings),
        skipped=() if gallery is not None else (skipped,),
    )

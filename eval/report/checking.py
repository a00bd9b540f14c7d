"""What is wrong with the suite of a report, as far as can still be found out."""

from eval.generation import Generation
from eval.runs.document import RunDocument
from eval.runs.runner import build_of, catalog_of
from eval.suites.checks.check import check_suite
from eval.suites.checks.products import gallery_of
from eval.suites.checks.report import SuiteReport
from eval.suites.suite import Suite
from indexer.bootstrap import open_catalogue
from indexer.errors import SettingsError, UnavailableError
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings


def checked(suite: Suite, document: RunDocument, settings: Settings) -> SuiteReport:
    """The checks of `vitrine eval check`, of the catalogue that the run was asked of.

    Without it the checks that need it are skipped, and said to be.
    """
    with DecoderPool.of(settings.images) as decoders:
        return check_suite(suite, _gallery(suite, document, settings), decoders)


def _gallery(suite: Suite, document: RunDocument, settings: Settings) -> Generation | None:
    try:
        return gallery_of(open_catalogue(settings), None, catalog_of(document, suite), build_of(document))
    except (SettingsError, UnavailableError):
        return None

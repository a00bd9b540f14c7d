"""What is wrong with the suite of a report, as far as can still be found out."""

from eval.suites.checks.check import check_suite
from eval.suites.checks.products import Gallery
from eval.suites.checks.report import SuiteReport
from eval.suites.suite import Suite
from indexer.bootstrap import open_catalogue
from indexer.errors import SettingsError, UnavailableError
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings


def checked(suite: Suite, catalog: str, settings: Settings) -> SuiteReport:
    """The checks of `vitrine eval check`; without the catalogue those that need it are skipped, and said to be."""
    with DecoderPool.of(settings.images) as decoders:
        return check_suite(suite, _gallery(catalog, settings), decoders)


def _gallery(catalog: str, settings: Settings) -> Gallery | None:
    try:
        return Gallery.of(open_catalogue(settings), None, catalog)
    except (SettingsError, UnavailableError):
        return None

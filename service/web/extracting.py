"""`make words`: brings every package's `locale/*.po` up to what its templates and modules say."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from service.web.site import page_packages
from service.web.words import LANGUAGES, SOURCE

METHODS: Final = [("**/templates/*.html", "jinja2"), ("**.py", "python")]
OPTIONS: Final = {"**/templates/*.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "marked": None, "Nav": (2,)}
"""Functions whose words are translated, and which of their arguments."""

EVER: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in every catalogue's head, so that only words change it."""


def extracted(package: str) -> Catalog:
    """What the package's own files say; folders below that contribute pages of their own are theirs."""
    folder = Path(str(files(package)))
    others = {Path(str(files(one))) for one in page_packages()} - {folder}
    found = Catalog()
    for _, _, message, comments, context in extract_from_dir(
        folder, METHODS, OPTIONS, KEYWORDS, directory_filter=_outside(others)
    ):
        found.add(message, auto_comments=comments, context=context)
    return found


def updated(package: str, language: str) -> Catalog:
    """The package's catalogue with what is said now; what is new has no translation yet, and what is said no more is
    kept aside, to come back with its words."""
    path = catalogue_path(package, language)
    catalogue = read_po(BytesIO(path.read_bytes() if path.is_file() else b""), locale=language)
    for one in catalogue.obsolete.values():
        catalogue[one.id] = one
    catalogue.header_comment, catalogue.project, catalogue.version = "", "Vitrine", package
    catalogue.fuzzy, catalogue.creation_date, catalogue.revision_date = False, EVER, EVER
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
    catalogue.update(extracted(package), no_fuzzy_matching=True, update_creation_date=False)
    return catalogue


def catalogue_path(package: str, language: str) -> Path:
    return Path(str(files(package))) / "locale" / f"{language}.po"


def main() -> None:
    for package in page_packages():
        for language in LANGUAGES:
            if language != SOURCE:
                path = catalogue_path(package, language)
                path.parent.mkdir(exist_ok=True)
                content = BytesIO()
                write_po(content, updated(package, language), width=120, sort_output=True)
                path.write_bytes(content.getvalue())
                print(path)


def _outside(folders: set[Path]) -> Callable[[str], bool]:
    return lambda folder: Path(folder) not in folders and not Path(folder).name.startswith((".", "_"))


if __name__ == "__main__":
    main()

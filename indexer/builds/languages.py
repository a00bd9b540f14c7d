"""The languages whose words can be searched."""

from typing import Final

from indexer.errors import SettingsError

LANGUAGES: Final = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
"""Language tag of a catalog → the stemmer and stop words of its lexical channel."""


def check_language(tag: str | None) -> None:
    """None is the catalog's own. Raises SettingsError for a language without a stemmer."""
    if tag is not None and tag not in LANGUAGES:
        raise SettingsError(f"No lexical search for language {tag!r}; choose {', '.join(LANGUAGES)}.")

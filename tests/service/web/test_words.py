"""What visitors are told, in their language, with numbers as they write them."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from service.web.extracting import KEYWORDS, catalogue_path, updated
from service.web.site import page_packages
from service.web.words import LANGUAGES, SOURCE, tongue_of, translations

OTHERS = [language for language in LANGUAGES if language != SOURCE]
AT = datetime(2026, 3, 4, 15, 6, tzinfo=UTC)
NARROW, THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("asked", "chosen", "language", "locale"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", None, "de", "de_AT"),
        ("fr-FR,en-GB;q=0.8", None, "en", "en_GB"),
        ("en-GB,de", "de", "de", "de"),
        ("de-CH,en", "en", "en", "en"),
        ("fr", "xx", "en", "en"),
        ("", None, "en", "en"),
        ("de-NOWHERE-1234567890", None, "de", "de"),
    ],
)
def test_a_visitor_is_spoken_to_in_a_language_that_is_asked_for(
    asked: str, chosen: str | None, language: str, locale: str
) -> None:
    tongue = tongue_of(asked, chosen)
    assert (tongue.language, str(tongue.locale)) == (language, locale)


@given(st.text(max_size=200), st.none() | st.text(max_size=20))
def test_whatever_a_browser_says_there_is_a_language(asked: str, chosen: str | None) -> None:
    tongue = tongue_of(asked, chosen)
    assert tongue.language in LANGUAGES
    assert tongue.number(1)


def test_numbers_prices_and_times_are_written_as_one_does_there() -> None:
    english, german, swiss = (tongue_of(tag) for tag in ("en-GB", "de-DE", "de-CH"))
    assert [one.number(1234.5) for one in (english, german, swiss)] == ["1,234.5", "1.234,5", "1’234.5"]
    assert [german.number(2, 2), german.number(1234567, 0)] == ["2,00", "1.234.567"]
    assert [one.percent(0.1234) for one in (english, german)] == ["12.3%", "12,3%"]
    assert english.money(Decimal("1234.5"), "EUR") == "€1,234.50"
    assert german.money(Decimal("1234.5"), "EUR") == f"1.234,50{NARROW}€"
    assert [english.money(None, "EUR"), english.money(3, None), english.money(3, "")] == ["", "3.00", "3.00"]
    assert english.moment(AT).replace(THIN, " ") == "4 Mar 2026, 15:06:00"
    assert german.moment(AT) == "04.03.2026, 15:06:00"
    assert german.ago(AT - timedelta(hours=3), AT) == "vor 3 Stunden"


def test_what_has_no_translation_stays_as_it_is_written() -> None:
    assert translations("de", ["service.web"]).gettext("No such words") == "No such words"
    assert translations("en", ["service.web"]).gettext("Sign in") == "Sign in"
    assert translations("de", ["service.web"]).gettext("Sign in") == "Anmelden"


def test_words_are_found_in_modules_by_their_functions() -> None:
    module = BytesIO(b'marked("A")\nNav("/x", "B")\nngettext("C", "Cs", 2)\nprint("D")\n')
    assert [found[1] for found in extract("python", module, KEYWORDS)] == ["A", "B", ("C", "Cs")]


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("package", page_packages())
def test_everything_that_is_said_is_translated(package: str, language: str) -> None:
    """`make words` brings the catalogues up to what is said; the translation is then to be written."""
    with catalogue_path(package, language).open("rb") as file:
        kept = {one.id: one for one in read_po(file, locale=language) if one.id}
    said = {one.id: one for one in updated(package, language) if one.id}
    assert set(kept) == set(said)
    assert [one.id for one in said.values() if not all(translated(one))] == []
    assert [one.id for one in said.values() if one.fuzzy] == []
    different = [one.id for one in said.values() if any(map(places(first(one)).__ne__, map(places, translated(one))))]
    assert different == []


def translated(message: Message) -> tuple[str, ...]:
    """All forms of it."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def first(message: Message) -> str:
    """The form for many, where there are two: that for one may leave the number out."""
    return message.id if isinstance(message.id, str) else message.id[-1]


def places(words: str) -> set[str]:
    """What is filled in."""
    return set(re.findall(r"%\(\w+\)s", words))

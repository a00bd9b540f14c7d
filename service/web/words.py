"""The pages' languages: words from gettext catalogues, numbers, money and dates as people write them there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from babel.support import Translations
from jinja2 import pass_context
from jinja2.runtime import Context

SOURCE = "en"
"""The language that templates are written in."""
LANGUAGES = (SOURCE, "de")


@dataclass(frozen=True)
class Tongue:
    """How one visitor is spoken to: the language of the words, and the region whose numbers and dates are meant."""

    language: str
    locale: Locale

    def number(self, value: float | Decimal, digits: int | None = None) -> str:
        """`digits` after the point, exactly; None: as many as there are, three at most."""
        pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, format=pattern, locale=self.locale)

    def percent(self, share: float) -> str:
        """Of a share in [0, 1], to the tenth."""
        return format_percent(share, format="#,##0.#%", locale=self.locale)

    def money(self, amount: float | Decimal | None, currency: str | None) -> str:
        """'' without an amount; without a currency the bare number, to the hundredth."""
        if amount is None:
            return ""
        return format_currency(amount, currency, locale=self.locale) if currency else self.number(amount, 2)

    def moment(self, at: datetime) -> str:
        """Date and time in UTC."""
        return format_datetime(at, "medium", locale=self.locale)

    def ago(self, at: datetime, now: datetime) -> str:
        return format_timedelta(at - now, add_direction=True, locale=self.locale)


def tongue_of(asked: str, chosen: str | None = None) -> Tongue:
    """`asked` is what a browser's Accept-Language says; `chosen`, such as `de`, counts before that."""
    tags = [tag.strip().partition(";")[0] for tag in asked.split(",")][:20]
    wanted = ([chosen] if chosen else []) + tags
    language = negotiate_locale([tag.partition("-")[0].lower() for tag in wanted], LANGUAGES) or SOURCE
    region = next((tag for tag in tags if tag.lower().startswith(f"{language}-")), language)
    return Tongue(language, _locale(region, language))


def marked(words: str) -> str:
    """The same, marked in a module as something that templates translate."""
    return words


def translations(language: str, packages: Sequence[str]) -> Translations:
    """What the packages' `locale/<language>.po` say; the words as they are written where nothing is said."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    found = Translations()
    for package in packages:
        catalogue = files(package) / "locale" / f"{language}.po"
        if catalogue.is_file():
            compiled = BytesIO()
            write_mo(compiled, read_po(BytesIO(catalogue.read_bytes()), locale=language))
            compiled.seek(0)
            found = found.merge(Translations(compiled))
    return found


@pass_context
def _number(context: Context, value: float | Decimal, digits: int | None = None) -> str:
    return _tongue(context).number(value, digits)


@pass_context
def _percent(context: Context, share: float) -> str:
    return _tongue(context).percent(share)


@pass_context
def _money(context: Context, amount: float | Decimal | None, currency: str | None) -> str:
    return _tongue(context).money(amount, currency)


@pass_context
def _moment(context: Context, at: datetime) -> str:
    return _tongue(context).moment(at)


FILTERS: Final = {"number": _number, "percent": _percent, "money": _money, "moment": _moment}
"""By the page's `tongue`; what templates import from each other needs it `with context`."""


def _tongue(context: Context) -> Tongue:
    tongue: Tongue = context["tongue"]
    return tongue


@lru_cache(maxsize=256)
def _locale(region: str, language: str) -> Locale:
    try:
        return Locale.parse(region, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale.parse(language)

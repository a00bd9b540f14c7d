"""Text as shops write it made safe to show and to search: no markup, control characters or bidi overrides; NFC."""

import html
import re
import unicodedata

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Controls that are not white space, soft hyphens, direction marks and overrides, zero-width spaces, tags."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_MARKUP = re.compile(r"<!--|-->|<[!/?]?[A-Za-z][^<>]*>")
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_HIDDEN = frozenset({"script", "style", "template", "noscript"})
_INLINE = frozenset({"a", "abbr", "b", "em", "font", "i", "mark", "s", "small", "span", "strong", "sub", "sup", "u"})


def clean_line(text: str) -> str:
    """One line: white space collapsed, invisible characters removed."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return unicodedata.normalize("NFC", " ".join(_INVISIBLE.sub("", text).split()))


def clean_lines(text: str) -> str:
    """As clean_line, but line breaks stay; empty lines do not."""
    lines = (clean_line(line) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def unescape(text: str) -> str:
    """Character references that end in a semicolon; `AT&T` and `&copy=1` stay as they are."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text


def without_markup(text: str) -> str:
    """HTML to text, in linear time for any input: block tags end lines, scripts, styles and comments vanish."""
    if "<" not in text:
        return unescape(text)
    kept: list[str] = []
    hidden = ""
    end = 0
    for markup in _MARKUP.finditer(text):
        if not hidden:
            kept.append(text[end : markup.start()])
            kept.append(_spacing(markup[0]))
        hidden = _hidden_after(markup[0], hidden)
        end = markup.end()
    if not hidden:
        kept.append(text[end:])
    return unescape("".join(kept))


def _hidden_after(markup: str, hidden: str) -> str:
    """What hides the text that follows: a comment's `<!--`, an element's name, or nothing."""
    if hidden == "<!--":
        return "" if markup == "-->" else hidden
    if markup == "<!--":
        return hidden or markup
    name = _name(markup)
    if hidden:
        return "" if markup.startswith("</") and name == hidden else hidden
    return name if name in _HIDDEN and not markup.startswith("</") and not markup.endswith("/>") else ""


def _spacing(markup: str) -> str:
    if markup == "-->":
        return markup
    return "" if _name(markup) in _INLINE or markup == "<!--" else "\n"


def _name(markup: str) -> str:
    found = _TAG_NAME.match(markup)
    return found[1].lower() if found else ""

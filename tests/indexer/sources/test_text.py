import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sources.text import clean_line, clean_lines, unescape, without_markup


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Rain \t coat\n", "Rain coat"),
        ("Rain\x0bcoat\x85blue", "Rain coat blue"),
        ("Rain\x07 co\x1bat\x7f", "Rain coat"),
        ("cap\u202efdp.exe", "capfdp.exe"),
        ("\ufeffsoft\u00ad\u200bshell\u2066", "softshell"),
        ("a\U000e0041\U000e0042b", "ab"),
        ("cafe\u0301", "café"),
        ("👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_lines_are_cleaned(text: str, cleaned: str) -> None:
    assert clean_line(text) == cleaned


@settings(deadline=None)
@given(st.text())
def test_a_cleaned_line_is_clean(text: str) -> None:
    cleaned = clean_line(text)
    assert clean_line(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert all(unicodedata.category(character) != "Cc" for character in cleaned)


def test_line_breaks_stay_in_descriptions() -> None:
    assert clean_lines(" Warm. \r\n\r\n\n Two   pockets.\n") == "Warm.\nTwo pockets."


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Warm.</p><p>Two <b>deep</b> pockets.</p>", "Warm.\nTwo deep pockets."),
        ("Warm<br/>and dry", "Warm\nand dry"),
        ("<ul><li>S</li><li>M</li></ul>", "S\nM"),
        ("Cocona&reg; &amp; wool", "Cocona® & wool"),
        ("&lt;b&gt; stays text", "<b> stays text"),
        ("<script>alert(1)</script>Warm<style>p{}</style>", "Warm"),
        ("Warm<script>alert(1)", "Warm"),
        ("a<!-- <b>hidden</b> -->b", "ab"),
        ("a --> b", "a --> b"),
        ("3 < 5 and 7 > 5", "3 < 5 and 7 > 5"),
        ("up to <3 kg", "up to <3 kg"),
        ('<img src=x onerror="alert(1)">Warm', "Warm"),
        ("AT&T &copy=1", "AT&T &copy=1"),
    ],
)
def test_markup_becomes_text(html: str, text: str) -> None:
    assert clean_lines(without_markup(html)) == text


@pytest.mark.parametrize("piece", ["<", "<a", "<!--", "<script>", "<a b='", "&", "&#", "</", "-->"])
def test_no_markup_takes_long(piece: str) -> None:
    started = time.thread_time()
    without_markup(piece * (100_000 // len(piece)))
    assert time.thread_time() - started < 3


@settings(deadline=None)
@given(st.text(alphabet="<>/!-abp &;\"'", max_size=60))
def test_any_markup_is_survived(html: str) -> None:
    clean_lines(without_markup(html))


@pytest.mark.parametrize(
    ("text", "unescaped"),
    [("caf&eacute;", "café"), ("&#8364;5", "€5"), ("&#x20AC;5", "€5"), ("&nosuch; &#0;", "&nosuch; \ufffd")],
)
def test_character_references_are_resolved(text: str, unescaped: str) -> None:
    assert unescape(text) == unescaped

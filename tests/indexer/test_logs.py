import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.logs import MOST, inert
from indexer.noting import Note, noting, searched
from tests.logged import lines, logged

LOG = logging.getLogger("indexer.something")
HOSTILE = "a\r\nb \x1b[31mred\x9b2J\u2028\u202eevil\x00 \ud800"


def test_a_line_is_a_json_document_with_what_was_given_beside_it() -> None:
    with logged() as written:
        LOG.info("built %s", "b1", extra={"products": 3})
    (line,) = lines(written)
    assert (line["event"], line["level"], line["logger"]) == ("built b1", "info", "indexer.something")
    assert line["products"] == 3
    assert str(line["timestamp"]).endswith("Z")
    assert list(line) == ["event", "level", "logger", "products", "timestamp"]


def test_what_is_given_beside_a_line_goes_before_what_is_known_of_it() -> None:
    with logged() as written:
        LOG.info("built", stack_info=True, extra={"level": "as given"})
    (line,) = lines(written)
    assert str(line["stack_info"]).startswith("Stack (most recent call last):")
    assert line["level"] == "as given"


def test_for_people_it_is_a_line_of_text() -> None:
    with logged(format="console") as written:
        LOG.warning("built", extra={"products": 3})
    assert "built" in written.getvalue()
    assert "products=3" in written.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(written.getvalue())


def test_elsewhere_than_on_a_terminal_it_is_json_by_itself() -> None:
    with logged(format="auto") as written:
        LOG.warning("built")
    assert lines(written)[0]["event"] == "built"


def test_the_level_says_what_is_left_out() -> None:
    with logged(level="warning") as written:
        LOG.info("built")
    assert written.getvalue() == ""


def test_a_line_of_a_request_names_it_and_its_build() -> None:
    with logged() as written:
        with noting(Note("r-12345678")):
            LOG.info("before")
            searched("b7")
            LOG.info("after")
        LOG.info("outside")
    before, after, outside = lines(written)
    assert (before["request"], "build" in before) == ("r-12345678", False)
    assert (after["request"], after["build"]) == ("r-12345678", "b7")
    assert "request" not in outside


@pytest.mark.parametrize("format", ["json", "console"])
def test_nothing_that_is_told_ends_a_line_or_moves_the_cursor(format: str) -> None:
    with logged(format=format) as written:
        LOG.warning("said %s", HOSTILE, extra={"one": HOSTILE, "many": [HOSTILE], "named": {HOSTILE: HOSTILE}})
    assert written.getvalue().count("\n") == 1
    assert all(one.isprintable() for one in written.getvalue().rstrip("\n"))


@given(st.text(max_size=50))
@settings(max_examples=50, deadline=None)
def test_text_that_harms_nobody_is_told_as_it_is(text: str) -> None:
    assert all(one.isprintable() for one in inert(text))
    if text.isprintable():
        assert inert(text) == text


def test_values_have_an_end() -> None:
    assert len(inert("x" * 10 * MOST)) == MOST + 1


def broken() -> None:
    try:
        int("what the shopper typed")
    except ValueError as error:
        raise OSError(28, "No space left on device", "/what/the/shopper/typed") from error


def test_of_an_error_it_is_told_where_it_came_from_and_not_what_it_says() -> None:
    with logged() as written:
        try:
            broken()
        except OSError:
            LOG.exception("It broke.")
    (line,) = lines(written)
    assert line["error"] == "OSError"
    trace = "\n".join(map(str, line["trace"])) if isinstance(line["trace"], list) else ""
    assert "in broken" in trace
    assert trace.index("builtins.ValueError") < trace.index("builtins.OSError: No space left on device")
    assert "shopper" not in written.getvalue()


def test_whoever_looks_for_a_fault_can_have_what_it_says() -> None:
    with logged(level="debug") as written:
        try:
            int("seven")
        except ValueError:
            LOG.exception("It broke.")
    assert "invalid literal" in written.getvalue()


def test_for_people_where_it_came_from_is_told_line_by_line() -> None:
    with logged(format="console") as written:
        try:
            broken()
        except OSError:
            LOG.exception("It broke.")
    assert written.getvalue().count("\n") >= 4


def test_of_libraries_only_warnings_are_written() -> None:
    with logged() as written:
        logging.getLogger("httpx2").info("HTTP Request: GET https://shop.example/?q=secret")
        logging.getLogger("httpx2").warning("Retrying")
        logging.info("Loading a model")  # as libraries do
        logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "\x1b[36mStarted"})
        logging.getLogger("uvicorn.error").error("Exception in ASGI application\n")
    assert [line["event"] for line in lines(written)] == ["Retrying", "Started"]
    assert "color_message" not in written.getvalue()

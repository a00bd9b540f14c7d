"""`vitrine search` without a running service."""

import json
from pathlib import Path

import pytest

from tests.service.worlds import Command


def test_json_is_one_document_on_standard_output(vitrine: Command) -> None:
    found = vitrine("search", "red mug", "--json", "--top-k", "3", "--where", "price<70", "--weights", "image=1,text=3")
    assert (found.code, found.error) == (0, "")
    document = json.loads(found.out)
    assert list(document) == [
        *("kind", "catalog", "build", "weights", "results", "timings_ms", "degraded", "explain"),
        *("words", "chips", "nothing_close", "facets", "next", "more", "why_not", "verification", "generated"),
    ]
    assert (document["kind"], len(document["results"])) == ("text", 3)
    assert document["weights"] == {"image": 0.25, "text": 0.75}


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["mug"], "text"),
        (["--image", "red.png"], "photo"),
        (["--like", "mug-red"], "similar"),
        (["--like", "mug-red", "--change", "but blue"], "edit"),
        (["but blue", "--image", "red.png"], "edit"),
    ],
)
def test_every_kind_of_question_can_be_asked(vitrine: Command, arguments: list[str], kind: str) -> None:
    found = vitrine("search", *arguments, "--json", "--explain")
    assert found.code == 0, found.error
    document = json.loads(found.out)
    assert document["kind"] == kind
    changes = [(one["source"], one["target"]) for one in document["explain"]["changes"]]
    assert changes == ([("red", "blue")] if kind == "edit" else [])


def test_people_get_a_table(vitrine: Command) -> None:
    found = vitrine("search", "--like", "mug-red", "--change", "but blue", "--explain", "--no-group")
    assert found.code == 0
    assert "Blue mug" in found.out
    assert "12.50 EUR" in found.out
    assert "change of colour: red → blue" in found.out
    assert "12 photos" not in found.error


def test_a_missing_score_is_a_dash_in_the_table(vitrine: Command) -> None:
    (line,) = [line for line in vitrine("search", "mug").out.splitlines() if "mug-sketch" in line]
    assert "–" in line


def test_nothing_found_is_said(vitrine: Command) -> None:
    found = vitrine("search", "mug", "--where", "price>5000")
    assert found.code == 0
    assert "Nothing found." in found.out


def test_a_page_is_written_beside_the_answer(vitrine: Command, tmp_path: Path) -> None:
    found = vitrine("search", "--image", "red.png", "--page", "found.html", "--json")
    assert found.code == 0, found.error
    page = (tmp_path / "found.html").read_text("utf-8")
    assert all(result["title"] in page for result in json.loads(found.out)["results"] if result["title"].isalpha())
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "The query is empty"),
        (["mug", "--where", "size=3"], "where: no field 'size'"),
        (["mug", "--where", "price"], "where: 'price' is not FIELD OPERATOR VALUE"),
        (["mug", "--weights", "picture=1"], "weights: no channel 'picture'"),
        (["mug", "--weights", "image=nan"], "weights: image is nan"),
        (["mug", "--weights", "image"], "weights: 'image' is not CHANNEL=NUMBER"),
        (["mug", "--weights", "image=0"], "weights: all are zero"),
        (["mug", "--fusion", "best"], "fusion: Input should be 'calibrated', 'raw', 'rrf' or 'dbsf'"),
        (["mug", "--raw", "--fusion", "rrf"], "--raw is --fusion raw; give it or --fusion rrf, not both"),
        (["mug", "--like", "mug-red"], "Words go alone or with a photo"),
        (["--change", "but blue"], "A change needs something to start from"),
        (["--like", "mug-rad"], "No product 'mug-rad'"),
        (["--like", "mug-red", "--image", "red.png"], "Give a photo or a product to start from, not both"),
        (["--image", "nothing.png"], "--image nothing.png: No such file or directory"),
        (["--image", "."], "--image .: Is a directory"),
        (["--image", "words.txt"], "The photo is refused (unsupported_format)"),
        (["mug", "--catalog", "no"], "There is no catalog 'no'"),
        (["mug", "--page", "no/such/folder.html"], "--page no/such/folder.html: No such file or directory"),
        (["m" * 1_001], "text: String should have at most 1000 characters"),
        (["mug", *["--where", "price<1"] * 51], "where: Tuple should have at most 50 items"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence_and_code_2(
    vitrine: Command, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    (tmp_path / "words.txt").write_text("this is no picture, whatever its name says")
    refused = vitrine("search", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert refused.error.startswith(f"vitrine: {sentence}")
    assert refused.error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["search", "--top-k", "0"], ["serve", "--port", "99999"], ["serve", "--port", "x"]]
)
def test_numbers_out_of_range_are_refused_by_the_option(vitrine: Command, arguments: list[str]) -> None:
    refused = vitrine(*arguments)
    assert refused.code == 2
    assert arguments[1] in refused.error
    assert "Traceback" not in refused.error

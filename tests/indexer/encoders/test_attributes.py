"""The file of what can be guessed, and what is refused in it."""

from pathlib import Path

import pytest

from indexer.encoders.attributes import HERE, digest, read_attributes
from indexer.errors import SettingsError
from indexer.images.names import COLOUR_NAMES
from indexer.settings import AttributeSettings
from indexer.showroom.look import COLOURS, KINDS, PATTERNS
from indexer.showroom.wordlists import MATERIAL_WORDS

WEAR = """
[wear]
threshold = 0.5
templates = ["a {} for winter", "{}"]
values = ["Hat", "glove"]
words = { glove = ["glove", "mitten"] }
"""


def written(folder: Path, text: str) -> AttributeSettings:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return AttributeSettings(file=path)


def test_every_template_is_said_with_every_word_of_a_value(tmp_path: Path) -> None:
    wear = read_attributes(written(tmp_path, WEAR), "fake")["wear"]

    assert wear.values == ("hat", "glove")
    assert wear.prompts("hat") == ("a hat for winter", "hat")
    assert wear.prompts("glove") == ("a glove for winter", "glove", "a mitten for winter", "mitten")
    assert wear.prompts("sock, of a catalogue's own") == (
        "a sock, of a catalogue's own for winter",
        "sock, of a catalogue's own",
    )


def test_the_shipped_file_defines_what_every_encoder_of_photos_may_know() -> None:
    shipped = read_attributes(AttributeSettings(), "ViT-L-14-quickgelu/openai")

    assert set(shipped) == {"kind", "colour", "pattern", "material", "style", "gender", "occasion"}
    assert all(attribute.trusted for attribute in shipped.values())
    assert shipped["colour"].values == COLOUR_NAMES


def test_the_showroom_is_asked_only_for_what_it_was_trained_on() -> None:
    found = read_attributes(AttributeSettings(), "showroom")
    looks = {
        "kind": tuple(KINDS),
        "colour": tuple(COLOURS),
        "pattern": PATTERNS,
        "material": tuple(MATERIAL_WORDS),
    }

    assert {name: attribute.values for name, attribute in found.items()} == looks
    assert all(attribute.trusted for attribute in found.values())


def test_an_unknown_encoder_is_trusted_with_the_colour_only() -> None:
    found = read_attributes(AttributeSettings(), "/models/mine")

    assert {name for name, attribute in found.items() if attribute.trusted} == {"colour"}


def test_fields_that_are_named_are_trusted_and_the_others_left_out() -> None:
    found = read_attributes(AttributeSettings(fields=("gender", "kind")), "/models/mine")

    assert {name: attribute.trusted for name, attribute in found.items()} == {"gender": True, "kind": True}


def test_nothing_is_guessed_when_it_is_switched_off() -> None:
    assert read_attributes(AttributeSettings(enabled=False), "showroom") == {}


def test_other_definitions_have_another_digest() -> None:
    known = read_attributes(AttributeSettings(), "showroom")
    fewer = read_attributes(AttributeSettings(fields=("colour",)), "showroom")

    the_same = AttributeSettings(file=HERE / "attributes_showroom.toml")

    assert digest(known) == digest(read_attributes(the_same, "showroom"))
    assert len({digest(known), digest(fewer), digest({})}) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[wear", "is not TOML"),
        ("wear = 3", "wear: "),
        (WEAR.replace("0.5", "1.5"), "wear.threshold: "),
        (WEAR.replace("0.5", "nan"), "wear.threshold: "),
        (WEAR.replace('"{}"', '"winter"'), "wear.templates: "),
        (WEAR.replace('"{}"', '"{} and {}"'), "wear.templates: "),
        (WEAR.replace('"Hat", "glove"', '"Hat", "hat "'), "two different values"),
        (WEAR.replace('"Hat", "glove"', '"", "hat"'), "wear.values.0: "),
        (WEAR.replace('["glove", "mitten"]', "[]"), "a word at least"),
        (WEAR.replace("words", "word"), "wear.word: "),
    ],
)
def test_a_broken_file_is_refused_by_the_place_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    settings = written(tmp_path, text)

    with pytest.raises(SettingsError, match=r"^attributes\.file: ") as refused:
        read_attributes(settings, "fake")
    assert said in str(refused.value)
    assert "mine.toml" in str(refused.value)


def test_a_file_that_is_not_there_and_a_field_that_is_not_defined_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml cannot be read"):
        read_attributes(AttributeSettings(file=tmp_path / "gone.toml"), "fake")
    with pytest.raises(SettingsError, match=r"attributes\.fields: 'smell' is not defined; defined are kind, colour"):
        read_attributes(AttributeSettings(fields=("smell",)), "fake")

"""What is left of a model's answer."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ask.documents import Sentence
from service.ask.reading import MAX_READ, MAX_SENTENCE, MAX_SENTENCES, AnswerReader, Source, plain

SOURCES = (
    Source("coat-1", "Rain coat. Water column: 20,000 mm. Article XK-4711."),
    Source("coat-2", "Wool coat. Sizes 38, 39, 40."),
    Source("hat", "Hat"),
)


def line(sentence: object, *products: object) -> str:
    return json.dumps({"sentence": sentence, "products": products})


def read(*pieces: str, question: str = "Which of these keeps rain out?") -> tuple[list[Sentence], AnswerReader]:
    reader = AnswerReader(question, SOURCES)
    told = [sentence for piece in pieces for sentence in reader.read(piece)]
    return [*told, *reader.end()], reader


def texts(*lines: str) -> list[str]:
    return [sentence.text for sentence in read("\n".join(lines))[0]]


def test_numbers_become_the_ids_of_hits() -> None:
    told, reader = read(line("Both are coats.", 2, 1, 2) + "\n" + line("This is none.", 3))
    assert told == [
        Sentence(text="Both are coats.", products=("coat-2", "coat-1")),
        Sentence(text="This is none.", products=("hat",)),
    ]
    assert reader.dropped == 0


def test_a_sentence_is_told_once_its_line_ends() -> None:
    reader = AnswerReader("", SOURCES)
    whole = line("It is a coat.", 1)
    assert list(reader.read(whole[:10])) == []
    assert list(reader.read(whole[10:])) == []
    assert [one.text for one in reader.read("\n" + whole[:5])] == ["It is a coat."]


def test_lines_in_a_list_and_between_fences_are_read_too() -> None:
    said = f"```json\n[\n  {line('It is a coat.', 1)},\n  {line('It is a hat.', 3)}\n]\n```"
    assert texts(said) == ["It is a coat.", "It is a hat."]


@pytest.mark.parametrize(
    "dropped",
    [
        line("Cited by nobody."),
        line("Foreign.", 4),
        line("Foreign too.", 1, 4),
        line("Zero.", 0),
        line("Negative.", -1),
        line("By id.", "coat-1"),
        line("By an id of another product.", "mug-red"),
        line("By a number as text.", "1"),
        line("By half a number.", 1.5),
        line("By truth.", True),
        line("Too many.", *range(1, 10)),
        line("", 1),
        line("   \u200b\u2060", 1),
        line(None, 1),
        line(["a list"], 1),
        line("x" * (MAX_SENTENCE + 1), 1),
        line("Look: <b>bold</b>", 1),
        line("Look: <img src=x onerror=alert(1)>", 1),
        line("Look: ＜script＞", 1),
        line("Look: &lt;script&gt;", 1),
        line("Look: &#60;", 1),
        line("Buy it [here](evil)", 1),
        line("Buy it ![seen](x)", 1),
        line("Buy it at https://evil.example/now", 1),
        line("Buy it at evil.com", 1),
        line("Buy it at Evil.COM today", 1),
        line("Buy it at evil\u2024com", 1),
        line("Buy it at ev\u200bil.c\u200bom", 1),
        line("Buy it at пример.рф", 1),
        line("Write to me@evil", 1),
        line("Call 0800123456", 1),
        line("It costs 1234 euros.", 1),
        line("Rather buy XK-4712.", 1),
        line("It is wool and has article number XK-4711.", 2),
        '{"sentence": "Other keys.", "products": [1], "id": "mug-red"}',
        '{"sentence": "Broken.", "products": [1]',
        "It is a coat.",
        '{"products": ' + "[" * 5_000,
        "null",
        "3",
    ],
)
def test_what_cites_no_hit_or_is_no_plain_text_is_dropped(dropped: str) -> None:
    told, reader = read(f"{dropped}\n{line('It is a coat.', 1)}\n")
    assert [one.text for one in told] == ["It is a coat."]
    assert reader.dropped == 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("It is **really** `warm`.", "It is really warm."),
        ("- It is warm [1, 2].", "It is warm."),
        ("It\u202e is\u0000 wa\u200brm,\nand\u2028dry.", "It is warm, and dry."),
        ("It keeps out 20000 mm of water.", "It keeps out 20000 mm of water."),
        ("It fits sizes 38 and 40, e.g. for a woman.", "It fits sizes 38 and 40, e.g. for a woman."),
    ],
)
def test_emphasis_and_what_cannot_be_seen_are_taken_off(said: str, told: str) -> None:
    assert texts(line(said, 1, 2)) == [told]


def test_numbers_of_the_question_may_be_repeated() -> None:
    told, _ = read(line("It is below 1500.", 2), question="Which are below 1,500?")
    assert [one.text for one in told] == ["It is below 1500."]


def test_who_repeats_himself_is_heard_once_and_six_sentences_at_most() -> None:
    assert texts(line("Warm.", 1), line("Warm.", 1), line("Warm.", 2)) == ["Warm."]
    letters = "abcdefghij"
    told, reader = read("\n".join(line(f"It is {letter}.", 1) for letter in letters))
    assert [one.text for one in told] == [f"It is {letter}." for letter in letters[:MAX_SENTENCES]]
    assert reader.done


def test_nothing_is_told_behind_the_word_that_nothing_is_known() -> None:
    told, reader = read('{"unknown": true}\n' + line("It is a coat.", 1))
    assert (told, reader.done, reader.dropped) == ([], True, 0)


def test_an_answer_without_an_end_is_not_read_to_it() -> None:
    reader = AnswerReader("", SOURCES)
    pieces = 0
    while not reader.full:
        assert list(reader.read("[" * 100)) == []
        pieces += 1
    assert pieces == MAX_READ // 100
    assert list(reader.read(line("Too late.", 1) + "\n")) == []
    assert list(reader.end()) == []


@given(st.text(max_size=400))
@settings(max_examples=50, deadline=None)
def test_plain_text_is_one_short_printable_line_and_stays_itself(said: str) -> None:
    told = plain(said)
    if told is not None:
        assert 0 < len(told) <= MAX_SENTENCE
        assert told.isprintable()
        assert not set(told) & set("<>[]{}\\")
        assert plain(told) in (told, None)


SAID = st.fixed_dictionaries(
    {"sentence": st.text(max_size=40), "products": st.lists(st.integers(-2, 9), max_size=4)},
    optional={"unknown": st.booleans(), "id": st.text(max_size=5)},
)


@given(st.lists(SAID | st.text(max_size=30) | st.integers(), max_size=12), st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_whatever_is_said_in_whatever_pieces_only_hits_are_cited(said: list[object], size: int) -> None:
    answer = "\n".join(json.dumps(one) for one in said)
    pieces = [answer[start : start + size] for start in range(0, len(answer), size)]
    told, _ = read(*pieces)
    assert told == read(answer)[0]
    assert len(told) <= MAX_SENTENCES
    assert all(set(one.products) <= {source.id for source in SOURCES} and one.products for one in told)

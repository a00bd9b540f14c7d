"""Questions over the hits of a search."""

import json
import time
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from indexer.bootstrap import open_catalogue
from indexer.errors import EmptyQuery, NoEndpoint, UnknownProduct
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.ask.asking import AT_ONCE, Asking
from service.ask.documents import Answered, AskRequest, Hits, Sentence
from service.photos import CataloguePhotos
from service.rerank.prompting import MAX_TEXT
from service.rerank.seam import Usage
from service.shop import Shop
from tests.deadlines import late
from tests.openai_server import ENDLESS, FAULTS, OpenAiServer, Turns, streaming
from tests.service.ask.asked import Counter, Counters, endless, line, products_of, sentences, told


def test_a_question_is_answered_from_the_texts_and_photos_of_the_hits(counters: Counters, server: OpenAiServer) -> None:
    server.always(told(line("It is made of linen.", 1), line("They are for the kitchen.", 1, 2)))
    answered = counters().ask("Which one is linen?", text="mug or towel", where=("material=glass|linen",))
    ids = [one.id for one in answered.hits]
    assert set(ids) == {"mug-green", "XK-4711"}
    assert sentences(answered) == [
        ("It is made of linen.", (ids[0],)),
        ("They are for the kitchen.", (ids[0], ids[1])),
    ]
    assert (answered.generated_by, answered.end.unknown, answered.end.dropped) == ("small", False, 0)
    (request,) = server.asked
    assert json.loads(request.text.partition("\n")[0])["question"] == "Which one is linen?"
    texts = products_of(request)
    assert [text.partition(".")[0] for text in texts.values()] == [one.title for one in answered.hits]
    assert "material: glass" in texts[ids.index("mug-green") + 1]
    sizes = [Image.open(BytesIO(picture)).size for picture in request.pictures]
    assert sizes == [(64, 64)] * 2
    assert not any(one in json.dumps(request.body) for one in (*ids, "12.50"))


def test_a_product_without_a_photo_is_asked_about_by_its_text(counters: Counters, server: OpenAiServer) -> None:
    server.always(told(line("A sketch.", 1)))
    answered = counters().ask("What is it?", text="mug without a photo", where=("price=8",))
    assert [one.id for one in answered.hits] == ["mug-sketch"]
    assert [one.text for one in answered.sentences] == ["A sketch."]
    assert server.asked[0].pictures == ()


@pytest.mark.parametrize(
    ("search", "hits"),
    [
        ({"text": "", "top_k": 2}, 2),
        ({"text": "", "like": "shoe-red", "change": "but blue", "top_k": 1}, 1),
        ({"text": "shoe", "where": ("price>50", "price<70")}, 2),
    ],
    ids=["the question itself", "a product, changed", "words, filtered"],
)
def test_the_hits_are_those_of_a_verified_search(
    counters: Counters, server: OpenAiServer, shop: Shop, search: dict[str, object], hits: int
) -> None:
    server.always(told('{"unknown": true}'))
    answered = counters().ask("blue shoe?", "", **search)
    request = AskRequest.model_validate({"question": "blue shoe?", **search}).search()
    assert request.verify
    assert len(answered.hits) == hits
    assert [one.id for one in answered.hits] == [one.id for one in shop.search(request).results][:hits]


@pytest.mark.parametrize(
    "said", ['{"unknown": true}', "", "No idea.", line("Foreign.", 7)], ids=["said", "nothing", "prose", "dropped"]
)
def test_what_the_catalogue_does_not_say_is_unknown(counters: Counters, server: OpenAiServer, said: str) -> None:
    server.always(told(said))
    answered = counters().ask(f"Who made it, {said}?")
    assert (answered.sentences, answered.end.unknown) == ((), True)


def test_nobody_is_asked_about_nothing(counters: Counters, server: OpenAiServer) -> None:
    answered = counters().ask("Which one?", where=("price>5000",))
    assert (answered.hits, answered.sentences, answered.end.unknown, answered.end.calls) == ((), (), True, 0)
    assert server.asked == []


def test_a_sentence_comes_while_the_next_one_is_being_said(counters: Counters, server: OpenAiServer) -> None:
    turns = Turns([line("First.", 1), line("Second.", 1)])
    server.always(streaming(turns))
    events = counters().asking.ask(AskRequest(question="How so?", text="mug"))
    assert isinstance(next(events), Hits)
    first = next(events)
    assert isinstance(first, Sentence)
    assert first.text == "First."
    turns.heard.release(2)
    assert [one.event for one in events] == ["sentence", "end"]


def test_an_answer_is_remembered_until_something_of_it_changes(counters: Counters, server: OpenAiServer) -> None:
    server.always(told(line("All of them.", 1, 2), line("Foreign.", 99)))
    first, again = counters(), counters()
    once = first.ask("Which are mugs?", top_k=2)
    twice = again.ask("Which are mugs?", top_k=2)
    assert (twice.hits, twice.sentences) == (once.hits, once.sentences)
    assert (twice.end.calls, twice.end.cached, twice.end.dollars, twice.end.dropped) == (0, 1, 0, 1)
    assert len(server.asked) == 1
    again.ask("Which are mugs?", top_k=3)
    again.ask("Which were mugs?", top_k=2)
    assert len(server.asked) == 3


def test_what_was_spent_is_told_and_counted(counters: Counters, server: OpenAiServer) -> None:
    server.always(told(line("Fine.", 1)))
    counter = counters(per_request=1, per_day=100)
    before = counter.governor.spent("ann")
    end = counter.ask("Is it fine?", caller="ann").end
    assert (end.calls, end.cached, end.tokens_in, end.tokens_out) == (1, 0, 1_000, 50)
    assert end.dollars == pytest.approx(0.00105)
    (counted,) = counter.counted
    assert replace(counted, dollars=0.0) == Usage(calls=1, tokens_in=1_000, tokens_out=50)
    assert counted.dollars == pytest.approx(end.dollars)
    assert counter.governor.spent("ann") - before == pytest.approx(end.dollars)


def test_nobody_is_asked_beyond_the_budget(counters: Counters, server: OpenAiServer) -> None:
    counter = counters(per_day=0)
    ends = [counter.ask(f"Is it {number}?").end for number in range(20)]
    assert {(end.unknown, end.calls, end.dollars) for end in ends} == {(False, 0, 0)}
    assert all("answer: today's budget is used up" in end.degraded for end in ends)
    assert server.asked == []


def test_who_stops_listening_stops_the_answer(counters: Counters, server: OpenAiServer) -> None:
    stream = endless(line("First.", 1) + line("Second.", 1), " ", pause=0.01)
    server.always(stream)
    events = counters().asking.ask(AskRequest(question="And so on?", text="mug"))
    assert [next(events).event for _ in range(3)] == ["hits", "sentence", "sentence"]
    events.close()
    assert stream.ended.wait(20), "the connection is still held"


def test_one_question_too_many_is_told_so(counters: Counters, server: OpenAiServer) -> None:
    server.always(endless(line("First.", 1), " ", pause=0.02))
    counter = counters()
    request = AskRequest(question="How many?", text="mug without a photo", where=("price=8",))
    waiting = [counter.asking.ask(request) for _ in range(AT_ONCE)]
    assert {[next(events).event for _ in range(2)][1] for events in waiting} == {"sentence"}
    end = counter.ask("How many more?", text="mug without a photo", where=("price=8",)).end
    assert (end.calls, end.unknown) == (0, False)
    assert "too many questions at once" in end.degraded[-1]
    for events in waiting:
        events.close()


def failed(counter: Counter, seconds: float) -> Answered:
    began = time.monotonic()
    answered = counter.ask("Does it fail?", text="mug without a photo", where=("price=8",))
    assert time.monotonic() - began < seconds
    assert (answered.sentences, answered.end.unknown) == ((), False)
    return answered


@pytest.mark.parametrize("fault", FAULTS)
def test_an_endpoint_that_fails_is_told_at_once(counters: Counters, server: OpenAiServer, fault: str) -> None:
    server.answer = lambda request: FAULTS[fault]()
    assert failed(counters(seconds=60), 15).end.degraded[-1].startswith("answer: the endpoint")


@pytest.mark.parametrize("fault", ENDLESS)
def test_one_that_comes_to_no_end_is_told_in_time(counters: Counters, server: OpenAiServer, fault: str) -> None:
    server.answer = lambda request: ENDLESS[fault]()
    answered = late(lambda seconds: failed(counters(seconds=seconds), seconds + 10), lambda _: bool(server.asked))
    assert answered.end.degraded[-1].startswith("answer: the endpoint")


def test_what_was_said_before_a_fault_stays_and_is_not_remembered(counters: Counters, server: OpenAiServer) -> None:
    server.always(streaming([line("First.", 1), '{"sentence": "Sec'], finish=None))
    counter = counters()
    for _ in range(2):
        answered = counter.ask("Is it whole?")
        assert [one.text for one in answered.sentences] == ["First."]
        assert (answered.end.unknown, answered.end.cached) == (False, 0)
        assert answered.end.degraded[-1] == "answer: the endpoint's answer was cut short"


def test_without_an_endpoint_there_is_no_asking(settings: Settings, shop: Shop, decoders: DecoderPool) -> None:
    database = open_catalogue(settings)
    asking = Asking(shop.search, database, CataloguePhotos(database, decoders), None)
    with pytest.raises(NoEndpoint, match=r"rerank\.base_url"):
        asking.ask(AskRequest(question="Which one?", text="mug"))


def test_what_cannot_be_searched_is_refused_before_anything_is_told(counters: Counters) -> None:
    asking = counters().asking
    with pytest.raises(UnknownProduct):
        asking.ask(AskRequest(question="Which one?", like="mug-reed"))
    with pytest.raises(EmptyQuery):
        asking.ask(AskRequest(question="Which one?", text=" "))


def test_no_text_of_a_product_is_longer_than_is_allowed(counters: Counters, server: OpenAiServer) -> None:
    server.always(told('{"unknown": true}'))
    counters().ask("How long?")
    assert all(len(text) <= MAX_TEXT for text in products_of(server.asked[0]).values())

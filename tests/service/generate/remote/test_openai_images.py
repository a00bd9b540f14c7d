import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Event, Lock
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexer.breaker import Breaker
from indexer.domain import Pixels
from indexer.generate_settings import ImageEndpointSettings, Mode
from indexer.settings import BudgetSettings, Price
from service.budget.governor import Governor
from service.budget.picture_prices import PicturePrice
from service.endpoint import PictureEndpoint
from service.generate.openai_images import OpenAiImages
from service.generate.paying import Purse
from service.generate.seam import Cancelled, ImageGenerator, Request, Unsuited, Watch
from tests.deadlines import late
from tests.openai_server import Handler, OpenAiServer, Reply, Streaming, failing, slow
from tests.picture_server import BLUE, ENDLESS, RED, SPOILT, UNDRAWN, addressed, drawing, moderated, plain, png
from tests.service.generate.remote.drawing import EDIT, LATE, REFERENCE, drawn, failing_within, failure

PRICE = PicturePrice(Price(input=10.0, output=40.0, image=1_000), {"low": 500, "medium": 2_000, "high": 6_000})
DRAFT = 0.03
"""Dollars, and the words', that a draft of an edit is estimated at."""
Decode = Callable[[bytes], Pixels]
Opening = Callable[..., OpenAiImages]


@pytest.fixture
def opening(server: OpenAiServer, purse: Purse, decode: Decode) -> Iterator[Opening]:
    """Opens a generator at the server, with these settings."""
    opened: list[OpenAiImages] = []

    def opening(paid: Purse = purse, **settings: Any) -> OpenAiImages:
        chosen = ImageEndpointSettings(base_url=server.url, **settings)
        endpoint = PictureEndpoint(server.url, "sk-hidden", chosen.model, setting="generate.openai")
        opened.append(OpenAiImages(endpoint, chosen, PRICE, paid, decode))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


@pytest.fixture
def generator(opening: Opening) -> OpenAiImages:
    return opening()


def opened(file: bytes) -> Image.Image:
    return Image.open(BytesIO(file))


def test_a_reference_is_edited(server: OpenAiServer, generator: ImageGenerator) -> None:
    server.always(drawing(BLUE, revised="A mug,\nnow\0 blue."))
    (picture,) = drawn(generator)
    np.testing.assert_array_equal(picture.pixels, plain())
    (request,) = server.asked
    assert (request.path, request.headers["authorization"]) == ("/v1/images/edits", "Bearer sk-hidden")
    np.testing.assert_array_equal(np.asarray(opened(request.files["image"])), REFERENCE)
    assert set(request.files) == {"image"}
    prompt = request.body.pop("prompt")
    assert "but blue. Afterwards it shows: a blue mug." in prompt
    assert request.body == {
        "model": "gpt-image-2.5-flare",
        "quality": "low",
        "size": "1536x1024",
        "output_format": "jpeg",
    }
    assert picture.provenance.revised == "A mug, now  blue."
    assert picture.provenance.recipe.prompt == prompt


def test_without_a_reference_a_picture_is_drawn(server: OpenAiServer, generator: ImageGenerator) -> None:
    server.always(drawing(BLUE))
    drawn(generator, Request("a blue mug", caption="a mug of blue stoneware"))
    (request,) = server.asked
    assert request.path == "/v1/images/generations"
    assert "a mug of blue stoneware" in request.body["prompt"]
    assert (request.body["size"], request.files) == ("1024x1024", {})


def test_what_may_be_changed_is_transparent_in_the_mask(server: OpenAiServer, generator: ImageGenerator) -> None:
    mask = np.zeros(REFERENCE.shape[:2], np.bool_)
    mask[:20, :30] = True
    server.always(drawing(BLUE))
    drawn(generator, Request("but blue", REFERENCE, mask=mask))
    sent = opened(server.asked[0].files["mask"])
    assert sent.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(sent)[..., 3] == 0, mask)


@pytest.mark.parametrize(
    ("size", "nearest"), [((512, 768), "1024x1536"), ((1024, 960), "1024x1024"), ((2048, 512), "1536x1024")]
)
def test_the_size_is_the_nearest_in_shape(
    server: OpenAiServer, generator: ImageGenerator, size: tuple[int, int], nearest: str
) -> None:
    server.always(drawing(BLUE))
    (picture,) = drawn(generator, Request("but blue", REFERENCE, size=size))
    assert server.asked[0].body["size"] == nearest
    assert "x".join(map(str, picture.provenance.recipe.size)) == nearest


@pytest.mark.parametrize(
    ("mode", "wanted", "quality"), [("draft", "auto", "low"), ("final", "auto", "medium"), ("draft", "high", "high")]
)
def test_drafts_are_cheaper_unless_something_else_is_set(
    server: OpenAiServer, opening: Opening, mode: Mode, wanted: str, quality: str
) -> None:
    server.always(drawing(BLUE))
    drawn(opening(quality=wanted), Request("but blue", REFERENCE, mode=mode))
    assert server.asked[0].body["quality"] == quality


def test_several_pictures_are_one_request(server: OpenAiServer, generator: ImageGenerator, governor: Governor) -> None:
    server.always(drawing(BLUE, RED, BLUE, tokens=(1_000, 1_000)))
    request = Request("but blue", REFERENCE, seed=7, count=2)
    first, second = drawn(generator, request)
    assert server.asked[0].body["n"] == "2"
    np.testing.assert_array_equal(second.pixels, plain((200, 30, 30)))
    assert (first.provenance.recipe.seed, second.provenance.recipe.seed) == (7, 8)
    assert first.id != second.id
    assert first.provenance.dollars == second.provenance.dollars == pytest.approx(0.025)
    assert governor.spent() == pytest.approx(0.05)


def test_only_pictures_that_are_wanted_are_drawn(server: OpenAiServer, generator: ImageGenerator) -> None:
    request = Request("but blue", REFERENCE, count=3)
    recipes = generator.plan(request)
    server.always(drawing(BLUE))
    (picture,) = generator.make(request, recipes[2:], Watch(time.monotonic() + 30))
    assert picture.provenance.recipe == recipes[2]
    assert "n" not in server.asked[0].body
    assert generator.make(request, (), Watch(time.monotonic() + 30)) == ()


def test_recipes_tell_what_determines_the_picture(opening: Opening) -> None:
    def ids(**changes: Any) -> str:
        return opening().plan(Request(**{"instruction": "but blue", "reference": REFERENCE, **changes}))[0].id

    mask = np.ones(REFERENCE.shape[:2], np.bool_)
    variants = [
        ids(),
        ids(instruction="but red"),
        ids(reference=plain()),
        ids(mask=mask),
        ids(seed=1),
        ids(mode="final"),
        ids(size=(512, 512)),
        ids(caption="a blue mug"),
        opening(model="gpt-image-2").plan(Request("but blue", REFERENCE))[0].id,
    ]
    assert len(set(variants)) == len(variants)
    assert ids() == variants[0]


def test_what_other_servers_do_not_know_is_left_out(server: OpenAiServer, opening: Opening) -> None:
    def answer(request: Any) -> Reply:
        named = next((name for name in ("quality", "size") if name in request.body), None)
        return failing(400, param=named, message=f"Unknown parameter: '{named}'.") if named else drawing(BLUE)

    server.answer = answer
    generator = opening(model="sdxl")
    drawn(generator)
    assert server.asked[0].body["response_format"] == "b64_json"
    assert set(server.asked[-1].body) == {"model", "prompt", "response_format"}
    before = len(server.asked)
    drawn(generator)
    assert len(server.asked) == before + 1


@pytest.mark.parametrize("code", ["moderation_blocked", "content_policy_violation"])
def test_a_refusal_is_said_in_our_own_words_and_costs_nothing(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, code: str
) -> None:
    server.always(moderated(code))
    assert failure(generator) == "the endpoint refused to draw this"
    assert len(server.asked) == 1
    assert governor.spent() == 0


def test_a_refusal_is_told_by_its_code_alone(server: OpenAiServer, generator: ImageGenerator) -> None:
    server.always(failing(400, message='said {"code": "moderation_blocked"}'))
    assert failure(generator) == "the endpoint answered with status 400"


def test_addresses_are_not_followed(server: OpenAiServer, generator: ImageGenerator) -> None:
    server.always(addressed(f"{server.url}/leaked.png"))
    assert "only the address" in failure(generator)
    assert [one.path for one in server.asked] == ["/v1/images/edits"]


@pytest.mark.parametrize("fault", UNDRAWN)
def test_what_was_never_drawn_is_named_and_costs_nothing(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, fault: str
) -> None:
    server.always(UNDRAWN[fault]())
    assert failure(generator)
    assert governor.spent() == 0


@pytest.mark.parametrize("fault", SPOILT)
def test_what_may_have_been_drawn_is_named_and_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, fault: str
) -> None:
    server.always(SPOILT[fault]())
    assert failure(generator)
    assert 0 < governor.spent() < DRAFT + 0.005


@pytest.mark.parametrize("fault", ENDLESS)
def test_what_does_not_come_in_time_is_late_and_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, fault: str
) -> None:
    server.always(ENDLESS[fault]())
    said, paid = late(failing_within(generator, governor), lambda _: bool(server.asked))
    assert said == LATE
    assert 0 < paid < DRAFT + 0.005


def test_an_answer_that_is_too_long_is_not_read_to_its_end_and_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor
) -> None:
    server.always(Streaming(more=b" " * 1_000_000))
    assert failure(generator) == "the endpoint's answer is too long"
    assert 0 < governor.spent() < DRAFT + 0.005


def test_what_may_help_is_tried_again_with_growing_pauses(server: OpenAiServer, generator: ImageGenerator) -> None:
    server.in_turn(failing(500), failing(429, retry_after="0.1"), failing(503), drawing(BLUE))
    started = time.monotonic()
    assert drawn(generator)
    assert len(server.asked) == 4
    assert time.monotonic() - started > 0.1 + 0.1 + 0.4


def test_more_time_than_there_is_is_not_waited(server: OpenAiServer, generator: ImageGenerator) -> None:
    server.always(failing(429, retry_after="30"))
    started = time.monotonic()
    failure(generator, seconds=25)
    assert time.monotonic() - started < 10


def test_nobody_waits_for_what_is_cancelled(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor
) -> None:
    server.always(slow(60, drawing(BLUE)))
    started = time.monotonic()
    with pytest.raises(Cancelled):
        generator.make(EDIT, generator.plan(EDIT), Watch(started + 30, cancelled=lambda: bool(server.asked)))
    assert time.monotonic() - started < 10
    assert governor.spent() > DRAFT, "it may have been drawn, and billed"
    with pytest.raises(Cancelled):
        generator.make(EDIT, generator.plan(EDIT), Watch(started + 30, cancelled=lambda: True))
    assert len(server.asked) == 1


def test_what_is_not_told_is_billed_as_estimated(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor
) -> None:
    server.always(drawing(BLUE, tokens=None))
    (picture,) = drawn(generator, caller="shop")
    assert governor.spent("shop") == pytest.approx(picture.provenance.dollars, abs=1e-6)
    assert DRAFT < picture.provenance.dollars < DRAFT + 0.005


def test_no_more_is_planned_than_a_request_may_cost(opening: Opening, governor: Governor, database: Any) -> None:
    def planned(per_request: float) -> int:
        purse = Purse(Governor(database, BudgetSettings(per_request=per_request)), Breaker())
        return len(opening(purse).plan(Request("but blue", REFERENCE, count=4)))

    assert (planned(1.0), planned(0.06)) == (4, 2)
    with pytest.raises(Unsuited, match="per_request"):
        planned(0.02)


def test_a_budget_that_is_used_up_is_said_before_anything_is_asked(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor
) -> None:
    for _ in range(10):
        governor.reserve(1.0)
    assert failure(generator) == "today's budget is used up"
    assert server.asked == []


def test_an_endpoint_that_keeps_failing_is_left_alone(server: OpenAiServer, generator: ImageGenerator) -> None:
    server.always(failing(401))
    said = [failure(generator) for _ in range(6)]
    assert said[-1] == "the endpoint kept failing and is left alone for a while"
    assert len(server.asked) == 5


def test_short_deadlines_do_not_speak_against_the_endpoint(
    server: OpenAiServer, opening: Opening, governor: Governor
) -> None:
    server.always(slow(60, drawing(BLUE)))
    generator = opening(Purse(governor, Breaker(failures=1)))
    for _ in range(2):
        server.asked.clear()
        said = late(lambda seconds: failure(generator, seconds=seconds), lambda _: bool(server.asked))
        assert said == LATE


def test_four_requests_are_under_way_at_once_and_the_others_wait(
    server: OpenAiServer, generator: ImageGenerator
) -> None:
    under_way = [0]
    most = [0]
    lock, four = Lock(), Event()

    def reply(handler: Handler) -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        if most[0] >= 4:
            four.set()
        four.wait(30)
        handler.rest(0.1)
        with lock:
            under_way[0] -= 1
        drawing(BLUE)(handler)

    server.always(reply)
    with ThreadPoolExecutor(6) as threads:
        pictures = [one.result() for one in [threads.submit(drawn, generator) for _ in range(6)]]
    assert [len(one) for one in pictures] == [1] * 6
    assert most[0] == 4


def test_fewer_pictures_than_asked_for_are_none_and_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor
) -> None:
    server.always(drawing(BLUE, tokens=(1_000, 1_000)))
    assert "fewer" in failure(generator, Request("but blue", REFERENCE, count=2))
    assert governor.spent() == pytest.approx(0.05)


def test_nothing_is_asked_once_the_time_is_up(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor
) -> None:
    assert failure(generator, seconds=-0.01) == "there was no time to ask the endpoint"
    assert (server.asked, governor.spent()) == ([], 0)


def test_a_closed_generator_fails_at_once(generator: ImageGenerator) -> None:
    generator.close()
    started = time.monotonic()
    assert failure(generator)
    assert time.monotonic() - started < 10


def test_a_pipeline_of_somebody_elses_is_refused(generator: ImageGenerator) -> None:
    with pytest.raises(Unsuited, match="sdxl-text"):
        generator.plan(Request("but blue", pipeline="sdxl-text"))


def test_progress_is_told(server: OpenAiServer, generator: ImageGenerator) -> None:
    told: list[tuple[int, int]] = []
    server.always(drawing(png(plain())))
    generator.make(EDIT, generator.plan(EDIT), Watch(time.monotonic() + 30, step=lambda *done: told.append(done)))
    assert told == [(0, 1), (1, 1)]


def test_no_secret_is_logged(server: OpenAiServer, generator: ImageGenerator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    server.always(drawing(BLUE))
    drawn(generator)
    assert "hidden" not in caplog.text

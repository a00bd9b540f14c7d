"""What a search started from."""

from indexer.images.regions import Box, Region
from service.web.window.reference import things_on


def test_a_thing_that_was_found_twice_is_offered_once() -> None:
    whole, mug = Box(0, 0, 1, 1), Box(0.1, 0.1, 0.4, 0.4)
    same_mug, beside, handle = Box(0.12, 0.1, 0.4, 0.4), Box(0.6, 0.1, 0.4, 0.4), Box(0.1, 0.1, 0.1, 0.4)
    found = [Region(one, 0.5) for one in (mug, same_mug, beside, handle, whole)]
    assert things_on(found) == [mug, beside, handle, whole]
    assert things_on([]) == []

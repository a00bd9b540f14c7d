import numpy as np
import pytest

from indexer.images.joined import Mask, core, reachable, reachable_from_border, without_specks


def mask(*rows: str) -> Mask:
    return np.array([[letter == "#" for letter in row] for row in rows])


def walked(reached: Mask, passable: Mask) -> Mask:
    """What `reachable` says, one pixel after the other."""
    found = np.zeros_like(passable)
    waiting = [(int(y), int(x)) for y, x in np.argwhere(reached & passable)]
    while waiting:
        y, x = waiting.pop()
        if 0 <= y < len(found) and 0 <= x < found.shape[1] and passable[y, x] and not found[y, x]:
            found[y, x] = True
            waiting += [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    return found


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (8, 8), (64, 43), (128, 128)])
@pytest.mark.parametrize("share", [0.0, 0.4, 0.6, 0.8, 1.0])
def test_what_is_joined_is_found_whatever_the_size(shape: tuple[int, int], share: float) -> None:
    rng = np.random.default_rng([*shape, int(10 * share)])
    passable, reached = rng.random(shape) < share, rng.random(shape) < 0.05
    np.testing.assert_array_equal(reachable(reached, passable), walked(reached, passable))


def test_neither_corners_nor_the_ends_of_rows_join() -> None:
    passable = mask("...#", "#...", ".#..")
    np.testing.assert_array_equal(reachable(mask("...#", "....", "...."), passable), mask("...#", "....", "...."))


def test_a_way_may_wind() -> None:
    passable = mask("#####", "....#", "###.#", "#...#", "#####")
    start = mask("#....", ".....", ".....", ".....", ".....")
    np.testing.assert_array_equal(reachable(start, passable), passable)


def test_an_enclosed_patch_is_not_reached_from_the_border() -> None:
    passable = mask("#####", "#...#", "#.#.#", "#...#", "#####")
    expected = passable.copy()
    expected[2, 2] = False
    np.testing.assert_array_equal(reachable_from_border(passable), expected)


def test_specks_and_thin_lines_go_and_patches_stay() -> None:
    found = without_specks(mask("#....###", ".....###", "..#..###", "........", "########"))
    np.testing.assert_array_equal(found.sum(axis=1), [1, 3, 1, 0, 0])


def test_the_core_lacks_what_touches_the_outside() -> None:
    np.testing.assert_array_equal(core(mask(".....", ".###.", ".###.", ".###.", ".....")).sum(), 1)
    assert core(mask("###", "###", "###")).all()

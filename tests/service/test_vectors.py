import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.vectors import without


def test_what_is_nothing_but_the_changed_attribute_becomes_nothing() -> None:
    axes = np.eye(4, dtype=np.float32)
    assert np.array_equal(without(axes[:2], axes[:1]), [[0, 0, 0, 0], [0, 1, 0, 0]])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_what_is_left_is_of_unit_length_and_square_to_what_was_taken_out(seed: int, taken: int) -> None:
    drawn = np.random.default_rng(seed).standard_normal((8, 8)).astype(np.float32)
    directions = np.linalg.qr(drawn)[0][:taken]
    left = without(drawn, directions)
    assert np.allclose(np.linalg.norm(left, axis=1), 1, atol=1e-4)
    assert np.allclose(left @ directions.T, 0, atol=1e-4)
    assert np.allclose(without(left, directions), left, atol=1e-4)

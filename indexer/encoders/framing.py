"""Photos as an encoder takes them: one array, all of one size."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from indexer.domain import Pixels
from indexer.images.fit import Fit, fit


def framed(images: Sequence[Pixels], frame: Fit) -> Pixels:
    """(n, height, width, 3) of `frame.size`; photos of another size are fitted, the others taken as they are."""
    return np.stack([fitted(image, frame) for image in images])


def fitted(image: Pixels, frame: Fit) -> Pixels:
    """Itself, not a copy, when it has the size."""
    return image if image.shape[:2] == frame.size else fit(Image.fromarray(image), frame)

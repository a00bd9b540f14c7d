"""What is drawn along: the outlines of a reference, for a ControlNet that was trained on Canny's."""

from typing import Any

import numpy as np

from indexer.domain import Pixels
from indexer.images.colour import srgb_to_lab

SMOOTHING = 1.0
"""Standard deviation in pixels of what is smoothed away before."""
FAINT, CLEAR = 0.1, 0.2
"""Length of Sobel's gradient, of a lightness from 0 to 1, from which an outline goes on, and from which it begins.

All three are scikit-image's defaults. OpenCV's 100 and 200 of 255 without smoothing, which the ControlNets' own
examples use, lose the seams of dark things: the quilting of a black jacket, the straps of a black bag.
"""


def outlines(pixels: Pixels) -> Pixels:
    """Canny's edges of a picture uint8 (h, w, 3) in its shape: 255 on an outline, else 0."""
    from skimage import feature

    canny: Any = feature.canny
    lightness = srgb_to_lab(pixels)[..., 0] / np.float32(100)
    found = canny(lightness, sigma=SMOOTHING, low_threshold=FAINT, high_threshold=CLEAR, mode="nearest")
    return np.repeat(found[..., None].astype(np.uint8) * np.uint8(255), 3, axis=-1)

"""Colour arithmetic: sRGB, CIELAB and the CIEDE2000 difference, vectorised.

Sources: IEC 61966-2-1 (sRGB transfer curve and primaries, white D65); CIE 15:2004 (CIELAB); Sharma, Wu and Dalal,
"The CIEDE2000 Color-Difference Formula: Implementation Notes", Color Research & Application 30(1), 2005.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from indexer.domain import Pixels

Lab = npt.NDArray[np.float32]
"""Shape (..., 3): L* 0 to 100, a* and b* about -110 to 110, white D65."""

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _TO_XYZ.sum(axis=1)
"""XYZ of sRGB white, so that greys have a* = b* = 0."""
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27
_HUE_WEIGHTS = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
"""Factor, multiple of the hue, and shift in degrees of each term of T (Sharma et al., equation 15)."""
_TO_RELATIVE = np.ascontiguousarray((_TO_XYZ / _WHITE[:, None]).T, dtype=np.float32)
_FROM_RELATIVE = np.linalg.inv(_TO_XYZ / _WHITE[:, None]).T


def _linear(encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


_LINEAR = _linear(np.arange(256) / 255).astype(np.float32)


def srgb_to_lab(pixels: "Pixels") -> Lab:
    """uint8 sRGB of shape (..., 3) → CIELAB of the same shape."""
    relative = _LINEAR.take(pixels).reshape(-1, 3) @ _TO_RELATIVE
    f = np.where(relative > _EPSILON, np.cbrt(relative), (_KAPPA * relative + 16) / 116)
    x, y, z = f.T
    lab = np.empty_like(f)
    lab[:, 0], lab[:, 1], lab[:, 2] = 116 * y - 16, 500 * (x - y), 200 * (y - z)
    return lab.reshape(pixels.shape)


def lab_to_srgb(lab: npt.ArrayLike) -> "Pixels":
    """CIELAB of shape (..., 3) → the nearest uint8 sRGB; colours outside the gamut are cut per channel."""
    values = np.asarray(lab, dtype=np.float64)
    y = (values[..., 0] + 16) / 116
    f = np.stack([y + values[..., 1] / 500, y, y - values[..., 2] / 200], axis=-1)
    cubed = f**3
    linear = np.clip(np.where(cubed > _EPSILON, cubed, (116 * f - 16) / _KAPPA) @ _FROM_RELATIVE, 0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), np.uint8)


def ciede2000(first: npt.ArrayLike, second: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """CIEDE2000 difference of CIELAB colours, kL = kC = kH = 1; shapes (..., 3) broadcast to the result's (...).

    About 1 is just noticeable, 10 plainly another shade, 50 opposite.
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    mean_chroma = (np.hypot(one[..., 1], one[..., 2]) + np.hypot(two[..., 1], two[..., 2])) / 2
    stretch = 1 + 0.5 * (1 - _saturating(mean_chroma))
    chroma1, hue1 = _polar(one, stretch)
    chroma2, hue2 = _polar(two, stretch)
    grey = chroma1 * chroma2 == 0
    turn = np.where(grey, 0.0, _turn(hue1, hue2))
    delta_hue = 2 * np.sqrt(chroma1 * chroma2) * np.sin(np.radians(turn) / 2)
    lightness, chroma = (one[..., 0] + two[..., 0]) / 2, (chroma1 + chroma2) / 2
    hue = np.where(grey, hue1 + hue2, _mean_hue(hue1, hue2))
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    s_c = 1 + 0.045 * chroma
    s_h = 1 + 0.015 * chroma * _hue_weight(hue)
    rotation = -2 * _saturating(chroma) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    l_term = (two[..., 0] - one[..., 0]) / s_l
    c_term, h_term = (chroma2 - chroma1) / s_c, delta_hue / s_h
    squared = l_term**2 + c_term**2 + h_term**2 + rotation * c_term * h_term
    return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float64)


def difference(one: Sequence[float], two: Sequence[float]) -> float:
    """`ciede2000` of two colours, in plain numbers: for a few of them arrays cost more than the formula does."""
    (light1, a1, b1), (light2, a2, b2) = one, two
    stretch = 1.5 - 0.5 * _saturation((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2)
    chroma1, chroma2 = math.hypot(a1 * stretch, b1), math.hypot(a2 * stretch, b2)
    hue1, hue2 = (math.degrees(math.atan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn, hue = hue2 - hue1, (hue1 + hue2) / 2
    if chroma1 * chroma2 == 0:
        turn, hue = 0.0, hue1 + hue2
    elif abs(turn) > 180:
        turn -= math.copysign(360, turn)
        hue += 180 if hue < 180 else -180
    off_middle, chroma = ((light1 + light2) / 2 - 50) ** 2, (chroma1 + chroma2) / 2
    light_term = (light2 - light1) / (1 + 0.015 * off_middle / math.sqrt(20 + off_middle))
    chroma_term = (chroma2 - chroma1) / (1 + 0.045 * chroma)
    hue_weight = 1 + sum(part * math.cos(math.radians(times * hue + shift)) for part, times, shift in _HUE_WEIGHTS)
    delta_hue = 2 * math.sqrt(chroma1 * chroma2) * math.sin(math.radians(turn / 2))
    hue_term = delta_hue / (1 + 0.015 * chroma * hue_weight)
    rotation = -2 * _saturation(chroma) * math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2))))
    squared = light_term**2 + chroma_term**2 + hue_term**2 + rotation * chroma_term * hue_term
    return math.sqrt(max(squared, 0.0))


def _saturation(chroma: float) -> float:
    seventh = chroma**7
    return math.sqrt(seventh / (seventh + 25.0**7))


def _saturating(chroma: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """sqrt(C^7 / (C^7 + 25^7)), from 0 for greys to 1 for vivid colours."""
    seventh = chroma**7
    return np.asarray(np.sqrt(seventh / (seventh + 25.0**7)), np.float64)


def _polar(
    lab: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Chroma and hue in degrees, 0 to 360, with a* stretched."""
    a, b = lab[..., 1] * stretch, lab[..., 2]
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _turn(hue1: npt.NDArray[np.float64], hue2: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From one hue to the other the shorter way, -180 to 180 degrees (equation 10)."""
    apart = hue2 - hue1
    return np.asarray(np.where(apart > 180, apart - 360, np.where(apart < -180, apart + 360, apart)), np.float64)


def _mean_hue(hue1: npt.NDArray[np.float64], hue2: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The middle of the shorter arc (Sharma et al., equation 14)."""
    total = hue1 + hue2
    apart = np.abs(hue1 - hue2) > 180
    return np.asarray((total + np.where(apart, np.where(total < 360, 360, -360), 0)) / 2, np.float64)


def _hue_weight(hue: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    terms = [part * np.cos(np.radians(times * hue + shift)) for part, times, shift in _HUE_WEIGHTS]
    return np.asarray(sum(terms, np.ones_like(hue)), np.float64)

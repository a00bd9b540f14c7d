"""How a decoding child starts: few threads, little memory, and quick to die.

Imports nothing heavy, because thread counts have to be set before numpy is imported.
"""

import importlib
import os
import resource
import signal
import sys
import warnings

_MODULES = (
    "indexer.images.child",
    "PIL.AvifImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.WebPImagePlugin",
)
"""Imported before the first image, so that no image's time pays for it."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def start(memory_bytes: int, max_pixels: int) -> None:
    """`memory_bytes` is what decoding may allocate beyond the interpreter and its libraries.

    SIGTERM gets its default action back: a handler in Python would wait for a decoder stuck in C.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = "1"
    for module in _MODULES:
        importlib.import_module(module)
    _make_bombs_errors(max_pixels)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        limit = _address_space() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _make_bombs_errors(max_pixels: int) -> None:
    """Pillow's other warnings, about odd metadata for instance, say nothing that a rejection does not."""
    from PIL import AvifImagePlugin, Image

    Image.MAX_IMAGE_PIXELS = max_pixels
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _address_space() -> int:
    """Bytes that this process has mapped already."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")

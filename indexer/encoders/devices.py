"""What the setting `encoder.device` names, found without torch wherever this machine tells by itself."""

import sys
from pathlib import Path
from typing import Final

SIGNS: Final = ("proc/driver/nvidia/gpus/*", "dev/nvidia[0-9]*", "dev/dxg", "dev/kfd")
"""Files that Linux has where there is a GPU: of NVIDIA's driver, in a container, under Windows, of AMD's driver."""


def devices_of(device: str) -> tuple[str, ...]:
    """`cuda:0,cuda:1` names two devices, `all` every GPU of this machine, or its CPU where it has none."""
    if device == "all":
        return _gpus() or ("cpu",)
    return tuple(one.strip() for one in device.split(","))


def on_cpu(device: str) -> bool:
    """Whether the first device that the setting names is the CPU."""
    first = devices_of(device)[0]
    return first == "cpu" or (first == "auto" and not _gpus())


def shows_gpu(root: Path = Path("/")) -> bool:
    """Whether there may be one: torch then knows. Elsewhere than on Linux only torch does."""
    return sys.platform != "linux" or any(True for sign in SIGNS for _ in root.glob(sign))


def _gpus() -> tuple[str, ...]:
    if not shows_gpu():
        return ()
    from indexer.encoders.openclip import gpus

    return gpus()

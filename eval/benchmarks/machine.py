"""What a benchmark ran on, as one line."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from indexer.domain import Frozen

ENGINES: Final = ("qdrant-edge-py", "qdrant-client", "faiss-cpu", "faiss-gpu-cu12", "numpy")
ENCODING: Final = ("torch", "open_clip_torch", "onnxruntime", "pillow")


class Machine(Frozen):
    """`load` is the mean number of processes that wanted a core in the minute before: figures of a busy one are bad."""

    system: str
    processor: str | None = None
    """As Linux names it: what arithmetic it has decides what an encoder in whole numbers gains."""
    cores: int
    memory: int | None
    """Bytes that were free for programs."""
    load: float
    python: str
    packages: dict[str, str]

    @classmethod
    def this(cls, packages: Sequence[str] = ENGINES) -> "Machine":
        return cls(
            system=f"{platform.system()} {platform.machine()}",
            processor=_processor(),
            cores=os.cpu_count() or 1,
            memory=free_memory(),
            load=os.getloadavg()[0],
            python=platform.python_version(),
            packages={name: found for name in packages if (found := _version(name)) is not None},
        )

    def __str__(self) -> str:
        memory = "" if self.memory is None else f", {self.memory / 2**30:.0f} GB free"
        packages = ", ".join(f"{name} {version}" for name, version in self.packages.items())
        processor = "" if self.processor is None else f", {self.processor}"
        cores = f"{self.cores} cores{memory}, load {self.load:.1f}"
        return f"{self.system}{processor}, {cores}, Python {self.python}, {packages}"


def free_memory() -> int | None:
    """Bytes that programs can have without swapping; None where the system does not say as Linux does."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except FileNotFoundError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _processor() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return None
    return next((" ".join(line.partition(":")[2].split()) for line in lines if line.startswith("model name")), None)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

"""What this machine's processor does with bytes."""

import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def sums_bytes_exactly(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether products of bytes are summed without overflow, as ONNX Runtime does it here.

    Of x86 only those with VNNI do; on others two products of eight bits are first added in sixteen.
    """
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return True
    try:
        flags = cpuinfo.read_text("utf-8").split()
    except OSError:
        return False
    return not {"avx_vnni", "avx512_vnni"}.isdisjoint(flags)

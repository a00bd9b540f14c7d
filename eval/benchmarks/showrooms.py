"""The showroom, built once for the benchmarks that need a published catalogue."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from indexer.builds.progress import Progress
from indexer.settings import Settings
from service.demo import build_showroom, showroom_settings

VITRINE: Final = Path(sys.executable).with_name("vitrine")


def showroom_home(work: Path) -> Path:
    """A home with the showroom published in it, with what today's builds keep beside it; a new one takes minutes."""
    home = work / "showroom"
    build_showroom(showroom_settings(Settings(home=home)), _silent)
    return home


def environment_of(home: Path) -> dict[str, str]:
    """What a command is started with, so that it uses that home and none of this process's settings."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")},
        "VITRINE_HOME": str(home),
    }


def asked(home: Path, *arguments: str) -> str:
    """What the command printed. Raises CalledProcessError for one that failed."""
    ran = subprocess.run(
        [VITRINE, *arguments], env=environment_of(home), cwd=home, capture_output=True, text=True, check=True
    )
    return ran.stdout


def _silent(progress: Progress) -> None:
    pass

"""What can be said of Ray where it is not installed; tests/ray has the rest."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from indexer.builds.embedder import Equipment
from indexer.errors import SettingsError
from indexer.scale import OnRay
from indexer.settings import Settings
from tests.fakes import FakeEncoder


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed: tests/ray")
def test_without_ray_building_on_it_is_refused_with_what_to_install(tmp_path: Path) -> None:
    spec = FakeEncoder().spec

    with pytest.raises(SettingsError, match=r"pip install 'vitrine\[ray\]'"):
        OnRay(Equipment.of(Settings(home=tmp_path), spec.identity), spec)

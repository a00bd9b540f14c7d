"""All families of hostile files."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from tests.hostile.specimens.avif import AVIFS
from tests.hostile.specimens.broken_png import BAD_PNGS
from tests.hostile.specimens.families import Families, Specimen
from tests.hostile.specimens.foreign import FOREIGN
from tests.hostile.specimens.gif import GIFS
from tests.hostile.specimens.jpeg import JPEGS
from tests.hostile.specimens.png import ODD_PNGS
from tests.hostile.specimens.webp import WEBPS

_ALL = (ODD_PNGS, BAD_PNGS, JPEGS, GIFS, WEBPS, AVIFS, FOREIGN)
FAMILIES: Mapping[str, Families] = MappingProxyType({name: one for one in _ALL for name in one.names()})


def specimens(family: str) -> Iterator[Specimen]:
    return FAMILIES[family].specimens(family)

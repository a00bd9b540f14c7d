"""How often "nothing close" is said: of what the catalogue lacks, and of what it holds."""

from collections.abc import Iterator, Sequence
from typing import Final

from eval.relevance.measuring import Figure, ends
from eval.runs.runner import Bench, decoded_photos
from eval.statistics import mean_interval
from eval.suites.suite import Suite
from indexer.images.decoders import Decoded
from indexer.settings import SearchSettings
from indexer.stores.lexical import Lexicon
from service.search.query import Query
from service.search.searcher import Searcher

FLAGGED: Final = "said: nothing close"

OTHER_THINGS: Final = (
    *("refrigerator", "lawnmower", "stapler", "toothbrush", "laptop", "smartphone", "television", "piano", "trumpet"),
    *("flute", "motorcycle", "tractor", "sailboat", "surfboard", "wardrobe", "bathtub", "toilet", "faucet", "webcam"),
    *("lightbulb", "modem", "cucumber", "banana", "sausage", "cereal", "whiskey", "perfume", "lipstick"),
    *("mascara", "deodorant", "sunscreen", "aspirin", "thermometer", "stethoscope", "wheelchair", "diaper", "crayons"),
    *("paintbrush", "easel", "sculpture", "hamster", "goldfish", "kennel", "fertilizer", "tulip", "wrench", "pliers"),
    *("sandpaper", "cement", "plywood", "doorbell", "padlock", "trophy", "dictionary", "encyclopedia", "garden hose"),
    *("ironing board", "hair dryer", "cat litter", "dog food", "engine oil", "filing cabinet", "soldering iron"),
    *("air conditioner", "smoke detector", "contact lenses", "sewing machine", "rice cooker", "pressure washer"),
)
"""Things that none of the catalogues sells; none is in the suites' own list, which thresholds were chosen with."""
SAID: Final = ("{}", "red {}", "do you have a {}?")


def emptiness_of_words(part: str, questions: Sequence[str], bench: Bench, search: SearchSettings) -> Figure:
    """The share of the questions that are flagged."""
    return _share(part, [Query(words=words) for words in questions], bench, search)


def emptiness_of_photos(part: str, photos: Suite, bench: Bench, search: SearchSettings) -> Figure:
    """The share of the suite's photos that are flagged; those that cannot be decoded are left out."""
    decoded = [one for one in decoded_photos(photos, bench).values() if isinstance(one, Decoded)]
    return _share(part, [Query(photo=one.pixels) for one in decoded], bench, search)


def absent_questions(bench: Bench) -> Iterator[str]:
    """Other things in three wordings, those that some product mentions left out."""
    lexicon = _lexicon(bench)
    for thing in OTHER_THINGS:
        if not set(lexicon.query(thing).indices.tolist()) & set(lexicon.tokens.tolist()):
            yield from (said.format(thing) for said in SAID)


def _lexicon(bench: Bench) -> Lexicon:
    return bench.index.lexicon or Lexicon.of([])


def _share(part: str, queries: Sequence[Query], bench: Bench, search: SearchSettings) -> Figure:
    searcher = Searcher(bench.products, search, photos=bench.photos)
    flagged = [searcher.search(query, bench.index, bench.encoder).nothing_close is not None for query in queries]
    found = mean_interval([float(one) for one in flagged])
    return Figure(part=part, way=FLAGGED, measure="share", queries=len(flagged), value=ends(found))

"""The showroom's copywriter: titles and descriptions for the shop, captions for training.

Everything it writes is true of the look. The wording of evaluation queries stands apart, in `queries`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from indexer.showroom.claims import Claim
from indexer.showroom.look import KINDS, Look
from indexer.showroom.phrases import (
    SAYABLE,
    Said,
    claim_of,
    group_phrase,
    noun_phrase,
    sayable,
    shop_colour,
    shopper_colour,
    with_article,
)
from indexer.showroom.wordlists import (
    BRANDS,
    EVERYDAY_WORDS,
    FAMILY_NAMES,
    KIND_WORDS,
    MATERIAL_WORDS,
    NEUTRAL_WORDS,
    PATTERN_MARKS,
    PATTERN_NOUNS,
    PATTERN_WORDS,
    PLURAL,
)

CAPTION_FRAMES = (
    "{}",
    "{}",
    "{}",
    "{}",
    "a photo of {a}",
    "a picture of {a}",
    "this is {a}",
    "{} for sale",
    "buy {}",
    "{}, new in the shop",
    "looking for {a}",
    "product photo: {}",
    "{a}",
    "The {} from our range.",
    "got {a}?",
    "what about {a}",
    "one {} please",
    "find me {a}",
    "a present: {a}",
    "any {} left?",
    "he likes {}",
    "hello, is there {a} at your shop",
)
EDIT_FRAMES = (
    "{}",
    "but {}",
    "{} instead",
    "the same but {}",
    "same one, {}",
    "make it {}",
    "now {}",
    "{} version",
    "change it to {}",
)
FILLERS = (
    "Sent within two working days.",
    "Designed in our own studio.",
    "Comes in a recycled box.",
    "A favourite of our customers since its first season.",
    "Good value and easy to live with.",
    "Looked over by hand before it leaves the workshop.",
    "Two years of guarantee included.",
    "Easy to look after.",
    "Made in small batches.",
    "A good present, too.",
)
_USES = {
    "Shoes": ("Comfortable from morning to night.", "Soft inside, with a sole that grips."),
    "Clothing": ("Cut for an easy fit.", "Feels good on the skin and washes well."),
    "Accessories": ("The small thing that finishes an outfit.", "Light enough to forget that you carry it."),
    "Backpacks": ("Room for a laptop and a day's things.", "Padded straps, quiet zips."),
    "Handbags": ("Room for the daily things and one more.", "With an inner pocket for keys."),
    "Travel": ("Rolls straight and locks firmly.", "Fits three days of clothes."),
    "Kitchen": ("Ready for every day at the table.", "Stands steadily and is simple to clean."),
    "Decoration": ("Looks good full and empty.", "Gives a shelf its centre."),
    "Lighting": ("Gives a warm, calm light.", "For the bedside or the corner of a room."),
    "Textiles": ("Soft on every side, with a hidden zip.", "Makes any seat a better one."),
    "Furniture": ("Sturdy, and built to be sat in.", "Put together in ten minutes."),
    "Garden": ("With a hole at the bottom for water.", "For the window sill or the terrace."),
    "Cycling": ("Rides lightly through town and out of it.", "Delivered ready to ride."),
    "Audio": ("Clear sound, soft pads.", "Up to thirty hours on one charge."),
}


_STOPS = ("", "", "", "", "", ",", ",", ".", "?", ":", ";", "!", " -")
_ONSETS = ("b", "c", "d", "f", "g", "h", "j", "l", "m", "n", "p", "r", "s", "t", "v", "w", "y", "sh", "th", "wh", "st")
_CODAS = ("", "", "", "l", "n", "r", "s", "t", "d", "m", "ck", "ll", "nd", "st", "ve")


@dataclass(frozen=True)
class Caption:
    """A training text and what it claims."""

    text: str
    claim: Claim


def title(look: Look, brand: str, name: str, rng: Random) -> str:
    """A shop title that states kind, colour and pattern, and sometimes more."""
    return _title(look, brand, name, rng).text


def description(look: Look, brand: str, name: str, rng: Random) -> str:
    """Two to five sentences: what it is, how it looks, what it is made of, and something of no visual meaning."""
    noun = rng.choice(KIND_WORDS[look.kind])
    extras = [rng.choice(_USES[KINDS[look.kind].category[1]]), *rng.sample(FILLERS, rng.randint(0, 2))]
    sentences = [_opening(look, brand, name, noun, rng), _looks(look, rng), _made_of(look, rng), *extras]
    if rng.random() < 0.3:
        sentences[1], sentences[2] = sentences[2], sentences[1]
    return " ".join(sentences)


def caption(look: Look, rng: Random) -> Caption:
    """One training text about the look, of a random sort and length, sometimes misspelt or with words to read past."""
    writers = (_query, _keywords, _rambling, _fragment, _edit, _group, _shop_text)
    result = rng.choices(writers, weights=(30, 10, 24, 10, 12, 4, 10))[0](look, rng)
    text = padded(result.text, rng) if rng.random() < 0.3 else result.text
    return Caption(misspell(text, rng) if rng.random() < 0.06 else text, result.claim)


def padded(text: str, rng: Random) -> str:
    """The text with one to four words of no meaning for a look, half of them invented: before, after or between."""
    words = text.split(" ")
    for _ in range(rng.randint(1, 4)):
        word = rng.choice(NEUTRAL_WORDS) if rng.random() < 0.5 else _invented(rng)
        words.insert(rng.choice((0, len(words), rng.randint(0, len(words)))), word)
    return " ".join(words)


def _invented(rng: Random) -> str:
    """A pronounceable word of one to three syllables."""
    syllables = (rng.choice(_ONSETS) + rng.choice("aeiou") + rng.choice(_CODAS) for _ in range(rng.randint(1, 3)))
    return "".join(syllables)


def misspell(text: str, rng: Random) -> str:
    """One slip of the finger in one word of four letters or more: dropped, doubled or swapped."""
    words = text.split(" ")
    long = [number for number, word in enumerate(words) if len(word) >= 4]
    if not long:
        return text
    at = rng.choice(long)
    word = words[at]
    spot = rng.randrange(1, len(word) - 1)
    slips = (
        word[:spot] + word[spot + 1 :],
        word[:spot] + word[spot] + word[spot:],
        word[:spot] + word[spot + 1] + word[spot] + word[spot + 2 :],
    )
    words[at] = rng.choice(slips)
    return " ".join(words)


def _query(look: Look, rng: Random) -> Caption:
    said = sayable(look, _some(rng, {"colour": 0.85, "pattern": 0.75, "material": 0.4, "second": 0.3}) | {"kind"})
    phrase = noun_phrase(look, said, rng)
    return Caption(rng.choice(CAPTION_FRAMES).format(phrase, a=with_article(phrase)), claim_of(look, said))


def _keywords(look: Look, rng: Random) -> Caption:
    """Kind and attributes as bare words in any order, as people type them."""
    said = _some(rng, {"colour": 0.9, "pattern": 0.85, "material": 0.3}) | {"kind"}
    words = _shuffled_words(look, said, rng)
    return Caption(rng.choice((" ", " ", " ", " - ", " + ", " & ")).join(words), claim_of(look, said))


def _rambling(look: Look, rng: Random) -> Caption:
    """The same among everyday words and stops in no grammar at all: stands for every sentence nobody thought of."""
    said = _some(rng, {"colour": 0.9, "pattern": 0.9, "material": 0.15}) | {"kind"}
    text = _everyday(rng)
    for word in _shuffled_words(look, said, rng):
        text += [word + rng.choice(_STOPS), *_everyday(rng)]
    return Caption(" ".join(text), claim_of(look, said))


def _everyday(rng: Random) -> list[str]:
    """Up to four everyday words, mostly fewer."""
    return [
        rng.choice(EVERYDAY_WORDS) + (rng.choice(_STOPS) if rng.random() < 0.15 else "")
        for _ in range(rng.choices(range(5), weights=(30, 30, 20, 12, 8))[0])
    ]


def _shuffled_words(look: Look, said: Said, rng: Random) -> list[str]:
    words = {
        "kind": rng.choice(KIND_WORDS[look.kind]),
        "colour": shopper_colour(look.colour, rng),
        "pattern": rng.choice(PATTERN_WORDS[look.pattern]),
        "material": rng.choice(MATERIAL_WORDS[look.material]),
    }
    chosen = [words[part] for part in sorted(said)]
    rng.shuffle(chosen)
    return chosen


def _fragment(look: Look, rng: Random) -> Caption:
    said = _some(rng, {"colour": 0.5, "pattern": 0.5, "material": 0.35, "second": 0.2})
    said = sayable(look, said or frozenset({rng.choice(("colour", "pattern", "material"))}))
    if not said:
        said = frozenset({"colour"})
    phrase = noun_phrase(look, said, rng)
    frame = rng.choice(("{}", "{}", "something {}", "anything {}"))
    return Caption(frame.format(phrase), claim_of(look, said))


def _edit(look: Look, rng: Random) -> Caption:
    part = rng.choices(("colour", "pattern", "material", "kind"), weights=(45, 30, 20, 5))[0]
    words: dict[str, Callable[[], str]] = {
        "colour": lambda: rng.choice(("{}", "{}", "in {}", "all in {}")).format(shopper_colour(look.colour, rng)),
        "pattern": lambda: _pattern_words(look, rng),
        "material": lambda: rng.choice((rng.choice(MATERIAL_WORDS[look.material]), f"in {look.material}")),
        "kind": lambda: with_article(rng.choice(KIND_WORDS[look.kind])),
    }
    return Caption(rng.choice(EDIT_FRAMES).format(words[part]()), claim_of(look, frozenset({part})))


def _group(look: Look, rng: Random) -> Caption:
    said = sayable(look, _some(rng, {"colour": 0.7, "pattern": 0.5, "material": 0.3, "second": 0.1}))
    phrase = group_phrase(look, said, rng)
    if phrase is None:
        return _query(look, rng)
    return Caption(phrase[0], claim_of(look, said, kinds=phrase[1]))


def _shop_text(look: Look, rng: Random) -> Caption:
    brand = rng.choice(BRANDS[KINDS[look.kind].category[0]])
    name = rng.choice(FAMILY_NAMES)
    everything = claim_of(look, sayable(look, frozenset(SAYABLE)))
    if rng.random() < 0.5:
        return Caption(description(look, brand, name, rng), everything)
    return _title(look, brand, name, rng)


def _title(look: Look, brand: str, name: str, rng: Random) -> Caption:
    said = sayable(look, _some(rng, {"material": 0.6, "second": 0.4}) | {"kind", "colour", "pattern"})
    phrase = noun_phrase(look, said, rng, shop_colour)
    form = rng.choice(("{brand} {name} {phrase}", "{brand} {phrase} {name}", "{name} {phrase} by {brand}"))
    text = form.format(brand=brand, name=name, phrase=phrase)
    return Caption(text[:1].upper() + text[1:], claim_of(look, said))


def _opening(look: Look, brand: str, name: str, noun: str, rng: Random) -> str:
    plural = noun in PLURAL
    forms = (
        f"{'Meet' if rng.random() < 0.5 else 'Here'} {'are' if plural else 'is'} {name}, our {noun}.",
        f"{name} by {brand}: {with_article(noun)} made to last.",
        f"The {name} {noun} from {brand} {'have' if plural else 'has'} a quiet character.",
        f"{brand} drew the {name} {noun} with a careful hand.",
        f"Everybody needs {'a pair of ' if plural else ''}{noun if plural else with_article(noun)} like {name}.",
    )
    return rng.choice(forms).replace("Meet is ", "Meet ").replace("Meet are ", "Meet ").replace("Here is", "This is")


def _looks(look: Look, rng: Random) -> str:
    colour = shop_colour(look.colour, rng)
    if look.pattern == "plain":
        adjective = rng.choice(PATTERN_WORDS["plain"])
        return rng.choice(
            (
                f"It comes in {adjective} {colour}.",
                f"All in {colour}, {adjective} and clean.",
                f"The surface is {adjective}, the colour {colour}.",
            )
        )
    second = shop_colour(look.second, rng)
    mark = rng.choice(PATTERN_MARKS[look.pattern])
    verb = "is" if mark == "striping" else "are"
    return rng.choice(
        (
            f"It shows {second} {mark} on {colour}.",
            f"The colour is {colour}, with {second} {mark}.",
            f"{colour.capitalize()} is the main colour; the {mark} {verb} {second}.",
            f"Dressed in {colour} with {rng.choice(PATTERN_NOUNS[look.pattern])} in {second}.",
            f"A {rng.choice(PATTERN_WORDS[look.pattern])} design: {colour} and {second}.",
        )
    )


def _made_of(look: Look, rng: Random) -> str:
    forms = ("Made of {}.", "The material is {}.", "We chose {} for it.", "Crafted from {} that ages well.")
    return rng.choice(forms).format(look.material)


def _pattern_words(look: Look, rng: Random) -> str:
    if look.pattern == "plain" or rng.random() < 0.7:
        return rng.choice(PATTERN_WORDS[look.pattern])
    return f"with {rng.choice(PATTERN_NOUNS[look.pattern])}"


def _some(rng: Random, chances: dict[str, float]) -> Said:
    return frozenset(part for part, chance in chances.items() if rng.random() < chance)

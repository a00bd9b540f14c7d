"""What must be known of the suites that are made from a catalogue."""

import re

from eval.suites.suite import SuiteCard

TEXT_MEASURES = ("nDCG@10", "RR@10", "Success@1", "Success@10", "R@100", "Range(nDCG@10)")
PHOTO_MEASURES = ("Success(rel=2)@1", "Success(rel=2)@10", "Success@1", "nDCG@10")
EDIT_MEASURES = ("Success@1", "Success@10", "nDCG@10", "NegRecall@10", "Range(nDCG@10)")

TEXT_PROTOCOL = (
    "Gallery: every product of the catalog, one answer for each. `attributes`: all products that carry the stated "
    "values are right (case aside, a colour's synonyms included, any value of several); a product whose row lacks the "
    "field counts as not relevant. `sku`: the products of that number. `misspelt`: one slip of the finger, the same "
    "answers. `absent`: the catalogue mentions no such thing; not part of any mean, told apart by AbsentAUC. "
    "Headline: nDCG@10. Split by question: all its wordings and its misspelling are in one half."
)
PHOTO_PROTOCOL = (
    "Grade 2: the product itself and any that has the very same photo file; grade 1: other variants of its "
    "parent. Headline: Success(rel=2)@1, hit rate of that very product; Success@1 also counts its family. "
    "Split by family; families that share a photo stay together."
)
EDIT_PROTOCOL = (
    "Gallery: every product of the catalog without the reference, its look-alikes and products with its very photo. "
    "Right: variants of the same parent that have the wanted value and are equal in colour, pattern and material "
    "otherwise. Hard negatives: the family's other variants, and products of another category with the wanted value. "
    "Headline: Success@1, hit rate. Split by family."
)

FEEDBACK_MEASURES = ("nDCG@10", "RR@10", "Success@1", "Success@10")
FEEDBACK_PROTOCOL = (
    "Gallery: every product of the catalog. Grade 1: opened in one visit or two, 2: in three or more, in each case by "
    "more than did not mean it; 0: not meant by as many or more. What nobody opened is not judged, and counts as not "
    "relevant. Mind the position bias: what stood low was seldom seen and could not be opened, so that results in the "
    "order that shoppers were shown look better than they are. Good for watching one service and for small changes of "
    "it; not for choosing between systems. Split by query."
)


def text_card(catalog: str, source: str, absent: bool) -> SuiteCard:
    return _card(
        catalog,
        "text",
        "Attribute values in shoppers' wordings, article numbers, misspellings and things not for sale.",
        TEXT_PROTOCOL,
        (*TEXT_MEASURES, "AbsentAUC") if absent else TEXT_MEASURES,
        source,
    )


def photo_card(catalog: str, source: str, description: str, gallery: str) -> SuiteCard:
    """`gallery` says what of the photos' origin is in it."""
    return _card(catalog, "photo", description, f"{gallery} {PHOTO_PROTOCOL}", PHOTO_MEASURES, source)


def edit_card(catalog: str, source: str) -> SuiteCard:
    description = "A product and a change of one attribute in words, answered by its variants."
    return _card(catalog, "edit", description, EDIT_PROTOCOL, EDIT_MEASURES, source)


def feedback_card(catalog: str, source: str) -> SuiteCard:
    description = "What shoppers asked, with what they opened and what they said was not meant."
    return _card(catalog, "feedback", description, FEEDBACK_PROTOCOL, FEEDBACK_MEASURES, source)


def _card(
    catalog: str, kind: str, description: str, protocol: str, measures: tuple[str, ...], source: str
) -> SuiteCard:
    plain = re.sub(r"[^a-z0-9._-]+", "-", catalog.lower()).lstrip("._-") or "catalog"
    return SuiteCard(
        name=f"{plain}-{kind}",
        description=description,
        licence="As the catalogue it was made from; its ids, words and photos are in it.",
        protocol=protocol,
        catalog=catalog,
        measures=measures,
        source=source,
    )

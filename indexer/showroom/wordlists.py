"""The words the copywriter knows: canonical words first, then what shoppers and shops also call the same thing.

Every synonym is true for every product that carries the canonical word; words for a narrower thing (an ankle boot,
a tote) are left out, because the closed vocabulary cannot tell whether they hold.
"""

from collections.abc import Mapping
from types import MappingProxyType

Words = Mapping[str, tuple[str, ...]]

COLOUR_WORDS: Words = MappingProxyType(
    {
        "black": ("black", "jet black", "ebony"),
        "white": ("white", "off-white", "ivory"),
        "grey": ("grey", "gray", "mid-grey"),
        "red": ("red", "crimson", "scarlet", "cherry red"),
        "orange": ("orange", "tangerine", "bright orange"),
        "yellow": ("yellow", "golden yellow", "sunflower yellow"),
        "green": ("green", "emerald", "grass green"),
        "teal": ("teal", "petrol", "blue-green"),
        "blue": ("blue", "cobalt", "royal blue"),
        "navy": ("navy", "navy blue", "dark blue", "midnight blue"),
        "purple": ("purple", "violet", "deep purple"),
        "pink": ("pink", "rose pink", "candy pink"),
        "brown": ("brown", "chocolate", "chestnut brown"),
        "beige": ("beige", "sand", "cream-beige"),
    }
)

PATTERN_WORDS: Words = MappingProxyType(
    {
        "plain": ("plain", "solid", "unpatterned", "single-coloured"),
        "striped": ("striped", "stripy", "stripey"),
        "dotted": ("dotted", "polka dot", "spotted", "spotty"),
        "checked": ("checked", "chequered", "plaid", "gingham"),
        "floral": ("floral", "flowery", "flowered"),
        "zigzag": ("zigzag", "zig-zag", "chevron"),
        "two-tone": ("two-tone", "two-colour", "colour-block"),
    }
)

PATTERN_NOUNS: Words = MappingProxyType(
    {
        "striped": ("stripes", "a striped pattern", "a stripe print"),
        "dotted": ("dots", "polka dots", "spots"),
        "checked": ("checks", "a check pattern", "squares"),
        "floral": ("flowers", "a floral print", "blossoms"),
        "zigzag": ("zigzags", "a zigzag pattern", "chevrons"),
        "two-tone": ("a second colour", "two colour blocks"),
    }
)
"""What follows "with"; a plain product carries nothing."""

PATTERN_MARKS: Words = MappingProxyType(
    {
        "striped": ("stripes", "striping"),
        "dotted": ("dots", "polka dots", "spots"),
        "checked": ("checks", "squares"),
        "floral": ("flowers", "blossoms"),
        "zigzag": ("zigzags", "zigzag lines"),
        "two-tone": ("contrast parts", "colour blocks", "details"),
    }
)
"""What carries the second colour."""

MATERIAL_WORDS: Words = MappingProxyType(
    {
        "canvas": ("canvas", "duck canvas", "sailcloth"),
        "leather": ("leather", "smooth leather", "full-grain leather"),
        "suede": ("suede", "brushed suede"),
        "rubber": ("rubber", "rubberised"),
        "satin": ("satin", "silky satin"),
        "cotton": ("cotton", "pure cotton"),
        "knit": ("knit", "knitted", "ribbed knit"),
        "velvet": ("velvet", "plush velvet"),
        "straw": ("straw", "woven straw", "raffia"),
        "plastic": ("plastic", "polycarbonate"),
        "metal": ("metal", "steel", "metallic"),
        "wood": ("wooden", "wood", "timber"),
        "ceramic": ("ceramic", "glazed ceramic", "porcelain"),
        "stoneware": ("stoneware", "rough stoneware"),
    }
)

KIND_WORDS: Words = MappingProxyType(
    {
        "sneaker": ("sneaker", "sneakers", "trainers", "trainer", "gym shoes"),
        "boot": ("boot", "boots", "pair of boots"),
        "heel": ("heels", "high heels", "heel", "pumps", "high-heeled shoe"),
        "t-shirt": ("t-shirt", "tee", "tee shirt", "tshirt"),
        "dress": ("dress", "frock", "gown"),
        "hoodie": ("hoodie", "hooded sweatshirt", "hooded jumper"),
        "hat": ("hat", "headwear", "hats"),
        "sunglasses": ("sunglasses", "shades", "sunnies", "sun glasses"),
        "watch": ("watch", "wristwatch", "timepiece"),
        "umbrella": ("umbrella", "brolly", "rain umbrella"),
        "backpack": ("backpack", "rucksack", "daypack", "knapsack"),
        "handbag": ("handbag", "purse", "ladies bag"),
        "suitcase": ("suitcase", "travel case", "luggage", "trolley case"),
        "mug": ("mug", "coffee mug", "cup", "coffee cup"),
        "bowl": ("bowl", "serving bowl", "salad bowl"),
        "kettle": ("kettle", "tea kettle", "water kettle"),
        "vase": ("vase", "decorative vase", "bud vase"),
        "lamp": ("lamp", "table lamp", "bedside light", "desk lamp"),
        "cushion": ("cushion", "throw pillow", "pillow", "scatter cushion"),
        "chair": ("chair", "dining chair", "seat"),
        "sofa": ("sofa", "couch", "settee"),
        "plant pot": ("plant pot", "planter", "flowerpot", "pot for plants"),
        "bicycle": ("bicycle", "bike", "push bike", "cycle"),
        "headphones": ("headphones", "headset", "over-ear headphones"),
    }
)

GROUP_WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "shoes": frozenset({"sneaker", "boot", "heel"}),
        "footwear": frozenset({"sneaker", "boot", "heel"}),
        "clothes": frozenset({"t-shirt", "dress", "hoodie"}),
        "clothing": frozenset({"t-shirt", "dress", "hoodie"}),
        "garment": frozenset({"t-shirt", "dress", "hoodie"}),
        "bag": frozenset({"backpack", "handbag"}),
        "tableware": frozenset({"mug", "bowl"}),
        "kitchenware": frozenset({"mug", "bowl", "kettle"}),
        "furniture": frozenset({"chair", "sofa"}),
        "seating": frozenset({"chair", "sofa"}),
        "vessel": frozenset({"mug", "bowl", "vase", "plant pot"}),
    }
)
"""Words for several kinds at once."""

PLURAL = frozenset(
    {"sneakers", "trainers", "gym shoes", "boots", "heels", "high heels", "pumps", "headwear", "hats", "sunglasses"}
    | {"shades", "sunnies", "sun glasses", "luggage", "headphones", "over-ear headphones"}
)
"""Kind words that take no article."""

BRANDS: Words = MappingProxyType(
    {
        "Fashion": ("Norrvik", "Atelier Maro", "Pellworm", "Kestrel & Co", "Lunaro", "Okabe", "Verano", "Finch Lane"),
        "Bags": ("Portage", "Kestrel & Co", "Wayfarer Goods", "Lunaro", "Okabe"),
        "Home": ("Halden", "Maison Tilleul", "Studio Aro", "Kiln & Co", "Fjordhus", "Casa Mirta", "Oakhurst"),
        "Sport": ("Veloce", "Ridgeway", "Pellworm"),
        "Electronics": ("Sonora", "Aurelab", "Quietwave"),
    }
)

_FAMILY_NAMES = (
    "Alba Alder Amara Anker Arlo Aspen Astrid Aurel Banjo Basil Bergen Birk Bodil Bruno Calla Camden Carlo "
    "Cedar Celia Corin Dahlia Dalton Delphi Dorset Edda Elba Elin Ember Enzo Esker Fabian Farrow Fenn Fiora "
    "Flint Freya Galen Gemma Gilda Glen Greta Haven Hazel Hedda Helio Hugo Ida Imogen Indra Inka Isla Ivo Jarl "
    "Jonas Juna Kaia Karel Kasimir Keel Kira Lago Lark Leona Linus Lisbon Loft Lumo Mabel Marlo Mila Milo Mira "
    "Monza Nadia Nero Nola Nova Odin Olga Opal Orion Oslo Otto Paloma Parker Petra Pico Piper Porto Quill "
    "Ravenna Remy Rhea Rigo Rowan Saga Salma Selma Sena Sigrid Solveig Sorel Stellan Tala Tarn Tessa Thora "
    "Tilda Tobin Torin Ulma Uma Ursa Vada Valen Vega Vera Vigo Willa Wren Yara Ylva Yuma Zadie Zeno Zora"
)
FAMILY_NAMES: tuple[str, ...] = tuple(_FAMILY_NAMES.split())

_NEUTRAL_WORDS = (
    "new nice cheap modern vintage premium best lovely big small large unisex adults men women kids office "
    "summer winter with free delivery gift birthday under 20 50 100 eur quick today online original classic "
    "everyday quality cool size m xl 42 the for and or a in my our on at home work good pretty simple discount "
    "order"
)
NEUTRAL_WORDS: tuple[str, ...] = tuple(_NEUTRAL_WORDS.split())
"""Words that say nothing about a look; training strews them in so that unknown words are read past."""

_EVERYDAY_WORDS = (
    "a about again all also am an any anything are as at be been both but can could did do does everything for found "
    "from get give go goes got had has have he hello her here him his how i if is it its just kind know less like "
    "little look looks love may maybe me mean means more most mostly mum much must my near need never of on once one "
    "ones only or other our out part perhaps please rather same say see seen shall she should show so some somebody "
    "someone such tell than thanks that the their them then there these they thing things this those to too two us "
    "very want wants was we well were what when where which while who whole why will wish would yes you your"
)
EVERYDAY_WORDS: tuple[str, ...] = tuple(_EVERYDAY_WORDS.split())
"""The commonest words of English sentences; training strews them between attributes, so that any sentence is read."""

_SHOP_WORDS = (
    "accessory adjustable adult age and any apron armchair autumn baby badge bamboo basket bath battery beach "
    "bed bedding belt bench best big blanket blouse bottle box boys bracelet brand bright bronze brush button "
    "buy cable camping candle cap card cardigan care carpet case casual cheap children christmas clean cleaning "
    "clock coat coffee collar colour comfortable cooking copper cord cosy cotton cover cream cup cupboard "
    "curtain cut dark decor deep delivery denim design desk dining dinner dish door double duvet earring easy "
    "eco elegant fabric family fashion feather felt fine fit flat fleece floor flower foam folding fork for "
    "formal frame free fur garden gift girls glass glove gold goods grip hair hand handle handmade hard heavy "
    "high holder home hood hook indoor inch iron jacket jar jeans jewellery jug keyboard kids kitchen knife "
    "ladies large leggings length light linen lining long loose low machine made marble mat men merino mini "
    "mirror modern natural neck necklace new nice night nylon oak office oil old organic outdoor oven oversized "
    "pack padded pair pan pants paper party pattern pencil phone picture pillow pine plate pocket polyester "
    "portable pot premium print purse quality quilt rack rain recycled regular ring round rug running sale "
    "sandals scarf school set shelf shiny shirt shoe short shoulder silk silver single size skirt sleeve slim "
    "slippers small soft sole spoon sport spring square stand steel stone stool storage strap strong stylish "
    "summer sweater swimming table tall tea thick thin tie tights top towel toy travel tray trousers unisex "
    "vegan vest vintage wall wallet warm washable water waterproof wear white wide window winter without women "
    "wool work yoga young zip"
)
SHOP_WORDS: tuple[str, ...] = tuple(_SHOP_WORDS.split())
"""Words of other shops, so that the merges spell them in few pieces."""

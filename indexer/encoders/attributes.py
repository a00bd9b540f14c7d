"""What can be guessed of a product from its photos: fields, their values, and the words that ask an encoder for them.

The definitions are in a file that people edit; by default it is one beside this, which the table of models names.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from indexer.domain import Frozen
from indexer.encoders.known import GENERAL, KNOWN_MODELS
from indexer.errors import SettingsError
from indexer.settings import AttributeSettings

HERE = Path(__file__).parent
COLOUR = "colour"
MAX_VALUES = 200
MAX_WORDS = 100
"""Characters of a value, of the words for it, and of a template."""

Text = Annotated[str, Field(min_length=1, max_length=MAX_WORDS)]


class Attribute(Frozen):
    """One field that can be guessed."""

    threshold: Annotated[float, Field(gt=0, lt=1)]
    """Probability from which the likeliest value is taken for the product's."""
    templates: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20)]
    """Sentences with {} in the place of a value's words."""
    values: Annotated[tuple[Text, ...], Field(min_length=2, max_length=MAX_VALUES)]
    """Casefolded."""
    words: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    """What is said for a value; absent: the value itself."""
    trusted: bool = True
    """Whether it is guessed where the catalogue gives no value that it could be measured with."""

    @field_validator("templates")
    @classmethod
    def _with_place(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        if any(template.count("{}") != 1 for template in templates):
            raise ValueError("a template needs {} once, for the words of a value")
        return templates

    @field_validator("values")
    @classmethod
    def _folded(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value.strip().casefold() for value in values))

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(self.values) < 2 or "" in self.values or not all(self.words.values()):
            raise ValueError("two different values are needed, and a word at least for every value that `words` names")
        return self

    def prompts(self, value: str) -> tuple[str, ...]:
        """Every template with every word of the value, which need not be one of `values`."""
        said = self.words.get(value, (value,))
        return tuple(template.replace("{}", word) for word in said for template in self.templates)


def read_attributes(settings: AttributeSettings, encoder: str) -> dict[str, Attribute]:
    """The definitions by field. Of an encoder that is not in the table of known models only the colour is trusted,
    which the palette speaks for too, unless the settings name the fields.

    Raises SettingsError for a file that is not one of definitions and for a field that it does not define.
    """
    if not settings.enabled:
        return {}
    model = next((model for model in KNOWN_MODELS if model.name == encoder), None)
    defined = _defined(settings.file or HERE / (model.attributes if model else GENERAL))
    if settings.fields is None:
        trusted = defined.keys() if model else {COLOUR}
        return {name: one.model_copy(update={"trusted": name in trusted}) for name, one in defined.items()}
    unknown = [name for name in settings.fields if name not in defined]
    if unknown:
        raise SettingsError(f"attributes.fields: {unknown[0]!r} is not defined; defined are {', '.join(defined)}.")
    return {name: defined[name] for name in settings.fields}


def digest(attributes: Mapping[str, Attribute]) -> str:
    """32 hex digits, equal for equal definitions."""
    plain = {name: attribute.model_dump(mode="json") for name, attribute in attributes.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:32]


def _defined(path: Path) -> dict[str, Attribute]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"attributes.file: {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"attributes.file: {path} is not TOML: {error}.") from error
    return {name.casefold(): _attribute(path, name, table) for name, table in tables.items()}


def _attribute(path: Path, name: str, table: object) -> Attribute:
    try:
        return Attribute.model_validate(table)
    except ValidationError as error:
        wrong = error.errors(include_input=False)[0]
        place = ".".join(map(str, (name, *wrong["loc"])))
        raise SettingsError(f"attributes.file: {path}: {place}: {wrong['msg']}.") from error

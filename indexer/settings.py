"""Typed settings: environment (`VITRINE_STORE__KIND=edge`), `.env`, then a TOML file, then the defaults here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from indexer.domain import Channel, Frozen, QueryKind
from indexer.generate_settings import GenerateSettings
from indexer.operating_settings import AccessSettings, BackupSettings, LoadSettings, TelemetrySettings
from indexer.store_settings import StoreSettings

PositiveInt = Annotated[int, Field(gt=0)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fusion = Literal["calibrated", "raw", "rrf", "dbsf"]
"""How the channels' scores become one: `service.search.fusion` says what each means."""

DEFAULT_WEIGHTS: Final[Mapping[QueryKind, Mapping[Channel, float]]] = {
    QueryKind.TEXT: {Channel.IMAGE: 0.6, Channel.TEXT: 0.4, Channel.LEXICAL: 0.1},
    QueryKind.PHOTO: {Channel.IMAGE: 1.0},
    QueryKind.PHOTOS: {Channel.IMAGE: 1.0},
    QueryKind.EDIT: {Channel.IMAGE: 0.5, Channel.TEXT: 0.5},
    QueryKind.SIMILAR: {Channel.IMAGE: 0.7, Channel.TEXT: 0.3},
}

RouteName = Literal["arithmetic", "identity", "recolour", "caption", "generated"]
"""How an edit looks for what is wanted: `service.search.questions` says what each means."""
DEFAULT_ROUTES: Final[Mapping[RouteName, float]] = {
    "arithmetic": 1.0,
    "identity": 1.0,
    "recolour": 1.0,
    "caption": 0.5,
    "generated": 1.0,
}
"""Chosen on the halves of the measured catalogues that are not reported (DECISIONS.md)."""


class DatabaseSettings(Frozen):
    url: SecretStr | None = None
    """An SQLAlchemy URL; absent: SQLite in VITRINE_HOME."""
    seconds: Annotated[float, Field(ge=2, le=60)] = 5.0
    """How long the service waits for one answer of the database; builds and commands wait as long as it takes."""


class EncoderSettings(Frozen):
    name: str = "showroom"
    """`showroom`, a name from `vitrine models`, an open_clip `MODEL/PRETRAINED` pair, or a directory."""
    device: str = "auto"
    precision: Literal["auto", "fp32", "fp16", "bf16"] = "auto"
    batch_size: PositiveInt = 64
    threads: PositiveInt | None = None
    """Threads of one encoder call on a CPU; absent: all cores."""
    runtime: Literal["auto", "torch", "onnx"] = "auto"
    """What computes on a CPU: torch, or the model as builds export it for ONNX Runtime where it agrees with torch;
    `auto`: the latter where it is not slower."""

    @model_validator(mode="after")
    def _as_exported(self) -> Self:
        if self.runtime == "onnx" and (self.device.startswith("cuda") or self.precision in ("fp16", "bf16")):
            raise ValueError("runtime onnx computes on a CPU, with device auto or cpu and precision auto or fp32")
        return self


class EmbeddingSettings(Frozen):
    url: str | None = None
    """Where embeddings are kept: a directory, or an object store as fsspec names it; absent: in VITRINE_HOME."""


class AttributeSettings(Frozen):
    """What is guessed of products that lack it, from their photos, when a build is made."""

    enabled: bool = True
    file: Path | None = None
    """Definitions of the fields, as `indexer/encoders/attributes.toml` has them, which is the default."""
    fields: tuple[str, ...] | None = None
    """The fields to guess, of those the file defines; absent: what the encoder is known for, and what it proves."""


class BuildSettings(Frozen):
    keep: PositiveInt = 3
    """Finished builds of a catalog that stay: the published one and those one can go back to."""


class ImageSettings(Frozen):
    max_bytes: PositiveInt = 15_000_000
    max_pixels: PositiveInt = 50_000_000
    max_side: PositiveInt = 20_000
    min_side: PositiveInt = 16
    max_aspect: Annotated[float, Field(gt=1)] = 20.0
    max_frames: PositiveInt = 500
    decode_seconds: Annotated[float, Field(gt=0)] = 10.0
    """A decoding child that takes longer is killed and the image rejected."""
    decoders: PositiveInt | None = None
    """Decoding children; absent: one per core."""
    fetch_seconds: Annotated[float, Field(gt=0)] = 10.0


class EditSettings(Frozen):
    """How "this one, but blue" is understood."""

    routes: dict[RouteName, Weight] = Field(default_factory=dict, validate_default=True)
    """What each way of finding the wanted thing counts; 0: it is not gone. One that is not given keeps its default."""
    strength: Annotated[float, Field(gt=0, le=4, allow_inf_nan=False)] = 0.75
    """How far arithmetic moves the reference from the words for what it has to those for what is wanted."""
    keep: Annotated[float, Field(ge=0, le=4, allow_inf_nan=False)] = 0.75
    """How much products of the category of what one starts from are lifted, in standard deviations; 0: not at all."""
    follow: bool = False
    """Trust each route as far as what it finds first verifiably has the change."""
    feedback: Share = 0.0
    """How far arithmetic moves on towards what verifiably has the change, and away from what has not."""

    @field_validator("routes", mode="after")
    @classmethod
    def _over_defaults(cls, given: dict[RouteName, float]) -> dict[RouteName, float]:
        return {**DEFAULT_ROUTES, **given}


class SearchSettings(Frozen):
    weights: dict[QueryKind, dict[Channel, Weight]] = Field(default_factory=dict, validate_default=True)
    """A kind that is not given keeps its default; the weights of one that is are replaced whole."""
    fusion: Fusion = "calibrated"
    rrf_k: PositiveInt = 60
    """Of fusion `rrf`: the larger, the less the first ranks stand out."""
    depth: PositiveInt = 100
    """Candidates taken from each search before grouping."""
    diversity: Share = 0.0
    """What unlikeness to better products counts, against relevance; 0: nothing."""
    edits: EditSettings = EditSettings()
    understand: bool = True
    """Read colours, prices, brands and the like out of words, and put misspelt ones right; off: words as typed."""
    urls: bool = False
    """Let requests name a photo by its https address, which the service then fetches."""
    url_hosts: tuple[str, ...] = ()
    """Hosts it may be fetched from, `*.shop.example` too; absent: any with public addresses only. Names with letters
    beyond ASCII as browsers send them, xn--…"""
    url_seconds: Annotated[float, Field(gt=0)] = 3.0
    """How long fetching it may take."""
    boosts: dict[str, Amount] = Field(default_factory=dict)
    """Condition, as a filter is written → what it adds to the fused score of products that satisfy it."""

    @field_validator("weights", mode="after")
    @classmethod
    def _over_defaults(cls, given: dict[QueryKind, dict[Channel, float]]) -> dict[QueryKind, dict[Channel, float]]:
        return {kind: dict(given.get(kind, weights)) for kind, weights in DEFAULT_WEIGHTS.items()}


class ServiceSettings(Frozen):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: PositiveInt = 1
    max_batch: PositiveInt = 32
    """Concurrent queries put into one encoder call at most."""
    remembered: Annotated[int, Field(ge=0)] = 10_000
    """Vectors of words and photos asked before that are kept; 0: none."""


class PageSettings(Frozen):
    """The pages for shoppers, merchandisers and analysts."""

    language: str | None = None
    """Of the pages, such as `de`; default: what the visitor's browser asks for."""
    photo_minutes: PositiveInt = 30
    """How long a shopper's photo is kept for the pages of its results."""
    thumbnail_bytes: PositiveInt = 500_000_000
    """Room for thumbnails on the disk."""
    session_hours: PositiveInt = 12
    """How long one stays signed in."""
    feedback: bool = True
    """Record which results are opened, and which are said not to be meant, without who did it."""
    feedback_days: PositiveInt = 90
    """How long that is kept."""
    sources: tuple[Path, ...] = ()
    """Folders whose catalogue files the desk may build from, beside those that were built before."""
    max_feed_bytes: PositiveInt = 200_000_000
    """Of a catalogue file that is uploaded."""


class LanguageSettings(Frozen):
    """An endpoint that speaks OpenAI's chat completions, which rewrites the captions of edits; absent: rules do."""

    base_url: str | None = None
    model: str | None = None
    api_key: SecretStr | None = None
    seconds: Annotated[float, Field(gt=0, le=60)] = 2.0
    """Deadline of the one try; what comes later is not waited for."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.base_url is None) != (self.model is None):
            raise ValueError("base_url and model are given together or not at all")
        return self


class RerankSettings(Frozen):
    """Who checks the first results of a search that is to be verified, with what, and for how long."""

    backend: Literal["auto", "zero_shot", "openai", "none"] = "auto"
    """`zero_shot`: the encoder itself; `openai`: any endpoint that speaks OpenAI's chat completions with pictures;
    `auto`: that endpoint where an address or a key of one is given, else the encoder."""
    kinds: tuple[QueryKind, ...] = (QueryKind.EDIT,)
    """Kinds of queries whose order the encoder's checks may change, and which it checks though they do not ask for it;
    of others it only gives marks, when asked."""
    always: bool = False
    """Verify every search that does not say whether it wants it, by the endpoint too."""
    top_n: Annotated[int, Field(ge=1, le=50)] = 8
    """Results that are verified."""
    seconds: Annotated[float, Field(gt=0, le=60)] = 2.5
    """Deadline of a search's verification; results that are not judged by then stay where they are."""
    contradictions: Literal["checked", "any"] = "checked"
    """What sends a result behind the others: what cannot be talked round (the shop's fields, the palette, the encoder
    where it is sure), or also the endpoint's word, for catalogues whose texts and photos are all one's own."""
    base_url: str | None = None
    """Address of the endpoint, as https://HOST/v1; absent: OpenAI's own."""
    model: str = "gpt-4o-mini"
    api_key: SecretStr | None = None
    detail: Literal["low", "high", "auto"] = "low"
    """How closely the endpoint looks at photos."""
    side: Annotated[int, Field(ge=64, le=768)] = 512
    """Pixels of the long side of photos that are sent."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    """Requests under way for one search."""
    logprobs: bool = True
    """Use how sure the endpoint is of each answer, where it tells."""
    read_queries: bool = True
    """Let the endpoint read, from words, what is to be checked, beside what the catalogue's vocabulary tells."""
    keep_days: PositiveInt = 30
    """How long the endpoint's verdicts are remembered."""
    keep_verdicts: PositiveInt = 200_000
    """How many of them at most."""

    @property
    def endpoint(self) -> bool:
        """Whether an endpoint is to judge."""
        return self.backend == "openai" or (self.backend == "auto" and self.named)

    @property
    def named(self) -> bool:
        """Whether one is named; an empty key, as an empty variable gives, is none."""
        return bool(self.base_url) or bool(self.api_key and self.api_key.get_secret_value())


class Price(Frozen):
    """US dollars per million tokens, and the tokens that one photo of little detail is billed as."""

    input: Dollars
    output: Dollars
    image: Annotated[int, Field(ge=0)] = 1_000


class BudgetSettings(Frozen):
    """US dollars that endpoints may cost; what would go beyond is not asked."""

    per_request: Dollars = 0.25
    per_key: Dollars = 2.0
    """A day, of one API key's requests."""
    per_day: Dollars = 10.0
    """Of everybody's; days are UTC."""
    prices: dict[str, Price] = Field(default_factory=dict)
    """Model → its price, where it is not in the table or another."""


class GateSettings(Frozen):
    """What the evaluation gate demands of a build before it is published."""

    recall: Share = 0.98
    """Least recall@10 of the store against exact search, on sampled queries."""
    canaries: Path | None = None
    """A suite's directory; each of its queries must have a relevant product among the first ten."""
    suites: tuple[Path, ...] = ()
    """Suites' directories, each asked to the new and to the published build; those of other catalogs are left out."""
    measure: str | None = None
    """What is compared; absent: each suite's first measure."""
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    """Mean loss from which a build is refused, if its interval leaves zero out."""
    minimum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Least mean of the measure, whatever is published."""


class Settings(BaseSettings):
    """`home` is the one directory that holds all state; deleting it is a clean start."""

    model_config = SettingsConfigDict(
        env_prefix="VITRINE_",
        env_nested_delimiter="__",
        env_file=".env",
        toml_file="vitrine.toml",
        frozen=True,
        extra="forbid",
    )

    home: Path = Path(".vitrine")
    catalog: str | None = None
    """The catalog commands and requests mean when they name none."""
    store: StoreSettings = StoreSettings()
    database: DatabaseSettings = DatabaseSettings()
    encoder: EncoderSettings = EncoderSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    attributes: AttributeSettings = AttributeSettings()
    builds: BuildSettings = BuildSettings()
    images: ImageSettings = ImageSettings()
    search: SearchSettings = SearchSettings()
    service: ServiceSettings = ServiceSettings()
    pages: PageSettings = PageSettings()
    language: LanguageSettings = LanguageSettings()
    rerank: RerankSettings = RerankSettings()
    budget: BudgetSettings = BudgetSettings()
    generate: GenerateSettings = GenerateSettings()
    gate: GateSettings = GateSettings()
    access: AccessSettings = AccessSettings()
    load: LoadSettings = LoadSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    backup: BackupSettings = BackupSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SharedDotEnv(settings_cls), TomlConfigSettingsSource(settings_cls)


class _SharedDotEnv(DotEnvSettingsSource):
    """A `.env` holds other programs' variables too; only a wrong one of Vitrine's is a mistake."""

    def __call__(self) -> dict[str, object]:
        fields = self.settings_cls.model_fields
        return {
            name: value
            for name, value in super().__call__().items()
            if name in fields or name.startswith(self.env_prefix.lower())
        }

"""Typed settings: environment (`VITRINE_STORE__KIND=edge`), `.env`, then a TOML file, then the defaults here."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from indexer.domain import Channel, Frozen, QueryKind

PositiveInt = Annotated[int, Field(gt=0)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class StoreSettings(Frozen):
    kind: Literal["edge", "memory"] = "edge"
    """`edge` is durable and owned by one process; `memory` lives and dies with its process (tests, trials)."""


class DatabaseSettings(Frozen):
    url: SecretStr | None = None
    """An SQLAlchemy URL; absent: SQLite in VITRINE_HOME."""


class EncoderSettings(Frozen):
    name: str = "showroom"
    """`showroom`, a name from `vitrine models`, an open_clip `MODEL/PRETRAINED` pair, or a directory."""
    device: str = "auto"
    precision: Literal["auto", "fp32", "fp16", "bf16"] = "auto"
    batch_size: PositiveInt = 64
    threads: PositiveInt | None = None
    """Threads of one encoder call on a CPU; absent: all cores."""


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


class SearchSettings(Frozen):
    weights: dict[QueryKind, dict[Channel, Weight]] = Field(
        default_factory=lambda: {
            QueryKind.TEXT: {Channel.IMAGE: 0.6, Channel.TEXT: 0.4, Channel.LEXICAL: 0.2},
            QueryKind.PHOTO: {Channel.IMAGE: 1.0},
            QueryKind.EDIT: {Channel.IMAGE: 0.5, Channel.TEXT: 0.5},
            QueryKind.SIMILAR: {Channel.IMAGE: 0.7, Channel.TEXT: 0.3},
        }
    )
    calibrate: bool = True
    """Off: the raw weighted sum of cosines."""
    depth: PositiveInt = 100
    """Candidates taken from each search before grouping."""


class ServiceSettings(Frozen):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: PositiveInt = 1
    max_batch: PositiveInt = 32
    """Concurrent queries put into one encoder call at most."""


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
    images: ImageSettings = ImageSettings()
    search: SearchSettings = SearchSettings()
    service: ServiceSettings = ServiceSettings()

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

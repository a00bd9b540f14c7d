"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa

AnyRow = sa.Row[*tuple[Any, ...]]
"""A row of more columns than SQLAlchemy's typing counts."""

CENT = Decimal("0.01")


class Json(sa.TypeDecorator[Any]):
    """JSON, on PostgreSQL in its binary form; None is NULL. SQLite does without the import of that other dialect."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(sa.JSON(none_as_null=True))
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB(none_as_null=True))


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware datetime, stored and read in UTC; SQLite, which knows no zones, keeps the UTC wall clock."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(sa.TypeDecorator[Decimal]):
    """A Decimal with two places. SQLite keeps a double, which is exact for the twelve digits allowed."""

    impl = sa.Numeric(12, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Decimal] | sa.types.TypeEngine[float]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.Numeric(12, 2, asdecimal=False))
        return dialect.type_descriptor(sa.Numeric(12, 2))

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Decimal | float | None:
        if value is None:
            return None
        rounded = value.quantize(CENT, ROUND_HALF_UP)
        return float(rounded) if dialect.name == "sqlite" else rounded

    def process_result_value(self, value: Decimal | float | None, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(f"{value:.2f}")

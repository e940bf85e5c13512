"""Typed tables: a class for each table, whose attributes are its columns, and instants in UTC.

The classes are written, and read by type checkers, as those of SQLAlchemy's ORM. Behind them stand plain tables of
SQLAlchemy's Core: nobody here uses what else the ORM does, and it would take a third of SQLAlchemy's memory.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from enum import Enum
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args, get_origin

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Time,
)
from sqlalchemy import Enum as WordOf
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = ["Base", "Mapped", "UtcTime", "aliased", "mapped_column"]


class UtcTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database. A naive datetime is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored: {value!r}")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def result_processor(self, dialect: Dialect, _coltype: object) -> Callable[[Any], datetime | None]:
        # Straight from what the driver gives: lists read hundreds of instants.
        return _from_sqlite if dialect.name == "sqlite" else _from_postgresql


def _from_sqlite(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _from_postgresql(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


_METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column

    class Base(DeclarativeBase):
        metadata = _METADATA

else:
    Kind = TypeVar("Kind")
    TYPES = {
        bool: Boolean(),
        bytes: LargeBinary(),
        date: Date(),
        datetime: UtcTime(),
        float: Double(),
        int: Integer(),
        str: String(),
        time: Time(),
    }

    class Mapped(Generic[Kind]):
        """`Mapped[int]` says what a column holds; `Mapped[int | None]` that it may be empty."""

    def mapped_column(*parts: Any, **options: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:  # noqa: ANN401 - Column's own
        """Say more of a column than its kind: what SQLAlchemy's `Column` takes."""
        return parts, options

    class Base:
        """A table: its name in `__tablename__`, more about it in `__table_args__`, itself in `__table__`."""

        metadata = _METADATA

        def __init_subclass__(cls) -> None:
            columns = [
                _column(name, get_args(hint)[0], *vars(cls).get(name, ((), {})))
                for name, hint in cls.__annotations__.items()
                if get_origin(hint) is Mapped
            ]
            more = vars(cls).get("__table_args__", ())
            more, options = ((), more) if isinstance(more, dict) else (more, {})
            cls.__table__ = Table(cls.__tablename__, cls.metadata, *columns, *more, **options)
            for column in columns:
                setattr(cls, column.name, column)

        @classmethod
        def __clause_element__(cls) -> FromClause:
            """What SQLAlchemy takes where a statement names the class."""
            return cls.__table__

    class _Aliased:
        """The same table once more in a statement."""

        def __init__(self, table: type[Base]) -> None:
            self._alias = table.__table__.alias()
            vars(self).update(self._alias.c.items())

        def __clause_element__(self) -> FromClause:
            return self._alias

    aliased = _Aliased

    def _column(name: str, hint: Any, parts: tuple[Any, ...], options: dict[str, Any]) -> Column[Any]:  # noqa: ANN401 - a type
        kinds = [kind for kind in get_args(hint) or (hint,) if kind is not NoneType]
        empty = NoneType in get_args(hint)
        if not any(_is_type(part) for part in parts):
            parts = (_type_of(kinds[0]), *parts)
        return Column(name, *parts, **{"nullable": empty, **options})

    def _is_type(part: object) -> bool:
        return isinstance(part, TypeEngine) or (isinstance(part, type) and issubclass(part, TypeEngine))

    def _type_of(kind: type) -> TypeEngine[Any]:
        if issubclass(kind, Enum):
            # Words, not database enums: a new word needs no change of type.
            return WordOf(kind, native_enum=False, length=40, values_callable=lambda words: [w.value for w in words])
        return TYPES[kind]

"""What all tables have in common."""

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Index, Integer, LargeBinary, MetaData, Text, text
from sqlalchemy.orm import DeclarativeBase

# SQLite numbers rows by itself only in a column declared INTEGER.
Id = Integer().with_variant(BigInteger(), "postgresql")


class Table(DeclarativeBase):
    """The base of all tables; constraint names are fixed, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        str: Text,
        int: BigInteger,
        bytes: LargeBinary,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[Any]: JSON,
    }


def few(name: str, column: str, where: str) -> tuple[Index]:
    """An index of the few rows for which a condition holds; PostgreSQL's has it by its migration, since to say it here
    loads that dialect.
    """
    return (Index(name, column, sqlite_where=text(where)),)

"""The household and its people: used in the home store only, but for the settings."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Id, Table


class Setting(Table):
    """What the owner said of the store as a whole: its name, the household's zone and currency."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Person(Table):
    """Someone who lives here and signs in; `store` names their own store."""

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    store: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


class Session(Table):
    """A browser that a person signed in with; its token is kept only as a hash."""

    __tablename__ = "sessions"
    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    expires_us: Mapped[int]


class Invitation(Table):
    """Somebody who may join this household with a one-time code, of which only the hash is kept. In the home store."""

    __tablename__ = "invitations"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    code_sha256: Mapped[str]
    made_us: Mapped[int]
    expires_us: Mapped[int]

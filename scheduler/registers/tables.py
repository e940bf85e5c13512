from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey

from scheduler.kit.mapping import Base, Mapped, mapped_column


class MemberList(Base):
    """What was read of a club's register, until it is confirmed or an hour old; only who has sent it sees it.

    `rows` hold [number in the file, cells] with birth dates where identity numbers were, and are emptied when the list
    has come in; `fields` say which of `columns` is what; `outcome` is how many came in.
    """

    __tablename__ = "member_list"
    # An old page must never confirm a newer list: SQLite would give its number away again.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it from the class

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    club_id: Mapped[int] = mapped_column(ForeignKey("club.id"))
    read_at: Mapped[datetime]
    columns: Mapped[list[Any]] = mapped_column(JSON)
    fields: Mapped[dict[str, int]] = mapped_column(JSON)
    rows: Mapped[list[Any]] = mapped_column(JSON)
    outcome: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.kit.database import Base
from scheduler.messages.rules import MessageKind, MessageState


class Message(Base):
    """A text in the outbox. `fact` is unique in the partnership: what was queued once is not queued again."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("partnership_id", "fact"),
        Index("ix_message_state_due_at", "state", "due_at"),
        Index("ix_message_about", "about"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[MessageKind]
    fact: Mapped[str]
    about: Mapped[str]
    to_phone: Mapped[str]
    body: Mapped[str]
    state: Mapped[MessageState]
    due_at: Mapped[datetime]
    deadline_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

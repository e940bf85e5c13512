"""What a coordinator types about one shift, and what saving it would mean for its people before it is saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace

from sqlalchemy import Connection, select

from scheduler.bookings.editing import ShiftFacts
from scheduler.bookings.telling import walk_words
from scheduler.gaps.queries import LeadShift
from scheduler.kit.database import AnyRow
from scheduler.kit.language import current, gettext, ngettext
from scheduler.kit.phone import as_swedes_write
from scheduler.kit.refusals import Invalid
from scheduler.leading.rules import MOST_PLACES
from scheduler.leading.typed import Typed
from scheduler.messages.rules import MessageKind, segments
from scheduler.messages.spending import spending
from scheduler.messages.texts import render
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import Unplannable, moments
from scheduler.partnership.tables import Area, Partnership
from scheduler.people.rules import Acting

FIELDS = ("night", "starts", "ends", "minimum", "wanted", "meeting_place", "note", "leader", "edition")
LONGEST_PLACE, LONGEST_NOTE = 80, 500
LONGEST_HOURS = 12
# Where a text leads that is about no booking any more.
LINKS = {MessageKind.TAKEN_OFF: "/nights", MessageKind.REINSTATED: "/shifts/{shift}"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, sound by itself: the night's date, and the facts but for the night's id."""

    night: date
    starts_at: datetime
    ends_at: datetime
    minimum: int
    wanted: int
    meeting_place: str
    note: str
    leader_person_id: int | None
    edition: int

    def facts(self, night_id: int) -> ShiftFacts:
        return ShiftFacts(
            self.starts_at,
            self.ends_at,
            self.minimum,
            self.wanted,
            self.meeting_place,
            self.note,
            self.leader_person_id,
            night_id,
        )


class ShiftForm(Typed):
    """The form of one shift."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__({name: fields.get(name, "") for name in FIELDS})

    def asked(self, acting: Acting, shift: LeadShift) -> Asked | None:
        """Return what was typed, or None with a sentence at each field that is at fault."""
        night = self.day("night", shift.date)
        starts, ends = self.clock("starts"), self.clock("ends")
        minimum, wanted = self.number("minimum", 1, MOST_PLACES), self.number("wanted", 1, MOST_PLACES)
        place, note = self.line("meeting_place", LONGEST_PLACE), self.line("note", LONGEST_NOTE)
        leader = self._leader(shift)
        if minimum is not None and wanted is not None:
            self._check_places(minimum, wanted, shift)
        if night is None or starts is None or ends is None:
            return None
        try:
            starts_at, ends_at = moments(night, starts, ends, acting.zone)
        except Unplannable:
            self.wrong("ends", gettext("The shift would end before it starts. Type a later end."))
            return None
        if starts_at <= acting.now:
            self.wrong("starts", gettext("That time has passed."))
        if ends_at - starts_at > timedelta(hours=LONGEST_HOURS):
            self.wrong("ends", gettext("That is more than twelve hours. Check the times."))
        if self.errors or minimum is None or wanted is None:
            return None
        return Asked(night, starts_at, ends_at, minimum, wanted, place, note, leader, self._edition())

    def _leader(self, shift: LeadShift) -> int | None:
        typed = self.text("leader")
        if not typed:
            return None
        for one in shift.walkers:
            if str(one.person_id) == typed:
                return one.person_id
        self.wrong("leader", gettext("Choose somebody who is on the shift."))
        return None

    def _check_places(self, minimum: int, wanted: int, shift: LeadShift) -> None:
        if minimum > wanted:
            self.wrong("minimum", gettext("The least cannot be more than the number of places."))
        self.check_taken(wanted, shift.booked + shift.held)

    def check_taken(self, wanted: int, taken: int) -> None:
        """Say at the field that fewer places than people is not possible, and what to do instead."""
        if wanted < taken:
            sentence = ngettext(
                "%(num)s place is taken. Take somebody off the shift below first, or keep at least that many.",
                "%(num)s places are taken. Take somebody off the shift below first, or keep at least that many.",
                taken,
            )
            self.wrong("wanted", sentence)

    def _edition(self) -> int:
        typed = self.text("edition")
        if not typed.isascii() or not typed.isdecimal() or len(typed) > 9:  # noqa: PLR2004 - what a column holds
            raise Invalid(problem="request")
        return int(typed)


def form_of(row: AnyRow, acting: Acting) -> ShiftForm:
    """Return the form filled with a shift's present facts."""

    def clock(instant: datetime) -> str:
        return f"{instant.astimezone(acting.zone):%H:%M}"

    return ShiftForm(
        {
            "night": str(row.date),
            "starts": clock(row.starts_at),
            "ends": clock(row.ends_at),
            "minimum": str(row.minimum),
            "wanted": str(row.wanted),
            "meeting_place": row.meeting_place,
            "note": row.note,
            "leader": str(row.leader_person_id or ""),
            "edition": str(row.edition),
        }
    )


def label_of(name: str) -> str:
    """Return what a field of the form is called, as it stands beside it."""
    labels = {
        "night": gettext("Night"),
        "starts": gettext("From"),
        "ends": gettext("To"),
        "minimum": gettext("At least"),
        "wanted": gettext("Places"),
        "meeting_place": gettext("Meeting place"),
        "note": gettext("Note to those who walk"),
        "leader": gettext("Walk leader"),
    }
    return labels[name]


@dataclass(frozen=True, slots=True)
class Telling:
    """Who would be told what: first names, the text to each, and what all of it costs in öre."""

    names: list[str]
    text: str
    cost_ore: int


def telling(
    connection: Connection,
    acting: Acting,
    shift: LeadShift,
    kind: MessageKind,
    names: Sequence[str],
    asked: Asked | None = None,
) -> Telling:
    """Return what a text of this kind would say to these people of a shift, in the reader's language."""
    area = connection.execute(
        select(Area.name, Area.gathers_minutes_before, Area.meeting_place, Partnership.coordinator_phone)
        .join(Partnership, Partnership.id == Area.partnership_id)
        .where(Area.partnership_id == acting.partnership_id, Area.name == shift.area)
    ).one()
    seen = SimpleNamespace(
        date=asked.night if asked else shift.date,
        starts_at=asked.starts_at if asked else shift.starts_at,
        ends_at=asked.ends_at if asked else shift.ends_at,
        area=area.name,
        gathers_minutes_before=area.gathers_minutes_before,
        meeting_place=asked.meeting_place if asked else shift.meeting_place,
        area_meeting_place=area.meeting_place,
    )
    said = {
        **walk_words(seen, acting.zone, current()),  # type: ignore[arg-type]
        "link": acting.site + LINKS.get(kind, "/bookings/…").format(shift=shift.id),
        "phone": as_swedes_write(area.coordinator_phone),
    }
    text = render(kind, current(), said)
    price = spending(connection, acting.partnership_id, acting.now).segment_ore
    return Telling(list(names), text, segments(text) * price * len(names))


def kind_of_change(row: AnyRow, asked: Asked) -> MessageKind | None:
    """Return what the people of a published shift would be told of a change; None for what they need not know."""
    if row.state is not ShiftState.PUBLISHED or not row.booked:
        return None
    if (asked.night, asked.starts_at, asked.ends_at) != (row.date, row.starts_at, row.ends_at):
        return MessageKind.MOVED
    return MessageKind.OTHER_PLACE if asked.meeting_place != row.meeting_place else None

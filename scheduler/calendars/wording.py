"""What an event says, in the calendar's language. Times stand in words too, in the town's own time, so that a
program in another zone does not mislead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from scheduler.calendars.rules import CalendarKind, Content, ShiftFacts, one_line
from scheduler.kit import language as languages
from scheduler.nights.rules import NightFlag

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Voice:
    """How a calendar speaks. `site` begins every link; `host` ends every uid; `subject` is the area or club."""

    kind: CalendarKind
    language: str
    zone: ZoneInfo
    site: str
    host: str
    partnership: str
    subject: str = ""
    alarm_minutes: int | None = None

    @property
    def words(self) -> NullTranslations:
        return languages.catalogue(self.language)


def calendar_name(voice: Voice) -> str:
    """Return the name under which programs list the calendar."""
    gettext = voice.words.gettext
    names = {
        CalendarKind.MINE: gettext("My night walks"),
        CalendarKind.NIGHTS: voice.partnership,
        CalendarKind.AREA: f"{voice.partnership}: {voice.subject}",
        CalendarKind.CLUB: f"{voice.partnership}: {voice.subject}",
        CalendarKind.NEEDS: gettext("Walks that need people"),
    }
    return one_line(names[voice.kind])


def uid(shift_id: int, kind: CalendarKind, host: str) -> str:
    """Return what a program knows the event by for ever: of the configured address, never of the request's."""
    return f"shift-{shift_id}@{host}" if kind is CalendarKind.MINE else f"shift-{shift_id}-{kind.value}@{host}"


def content(facts: ShiftFacts, voice: Voice) -> Content:
    """Return a shift as this calendar shows it."""
    mine = voice.kind is CalendarKind.MINE
    alarm = None
    if voice.alarm_minutes is not None and not facts.called_off:
        alarm = (voice.alarm_minutes, _title(facts, voice))
    return Content(
        uid=uid(facts.shift_id, voice.kind, voice.host),
        starts_at=facts.starts_at,
        ends_at=facts.ends_at,
        title=_title(facts, voice),
        description="\n".join(_own_lines(facts, voice) if mine else _shared_lines(facts, voice)),
        location=_location(facts),
        position=facts.position,
        url=_link(facts, voice),
        cancelled=facts.called_off,
        busy=mine and not facts.called_off,
        alarm=alarm,
    )


def _link(facts: ShiftFacts, voice: Voice) -> str:
    if voice.kind is CalendarKind.MINE and facts.booking_id is not None:
        return f"{voice.site}/bookings/{facts.booking_id}"
    return f"{voice.site}/shifts/{facts.shift_id}"


def _location(facts: ShiftFacts) -> str:
    parts = dict.fromkeys(one_line(part) for part in (facts.meeting_place, facts.area, facts.municipality))
    return ", ".join(part for part in parts if part)


def _title(facts: ShiftFacts, voice: Voice) -> str:
    words, area = voice.words, one_line(facts.area)
    if voice.kind is CalendarKind.MINE:
        title = words.gettext("Night walk: %(area)s") % {"area": area}
    elif voice.kind is CalendarKind.NEEDS:
        title = words.gettext("%(missing)s: %(area)s") % {"missing": _missing(facts, words), "area": area}
    else:
        title = words.gettext("%(area)s: %(booked)s of %(wanted)s walk") % {
            "area": area,
            "booked": facts.booked,
            "wanted": facts.wanted,
        }
    if facts.called_off:
        plain = words.gettext("Night walk: %(area)s") % {"area": area}
        return words.gettext("CALLED OFF: %(title)s") % {"title": plain}
    flag = _flag(facts.flag, words)
    return f"{title} ({flag})" if flag else title


def _flag(flag: NightFlag, words: NullTranslations) -> str:
    if flag is NightFlag.TWO_AREAS_NEED_COVERAGE:
        return words.gettext("Two areas need coverage").lower()
    return words.gettext("Two areas").lower() if flag is NightFlag.TWO_AREAS else ""


def _missing(facts: ShiftFacts, words: NullTranslations) -> str:
    to_minimum, to_wanted = facts.minimum - facts.booked, facts.wanted - facts.booked
    if to_minimum > 0:
        return words.ngettext(
            "One person missing, else called off", "%(num)s people missing, else called off", to_minimum
        ) % {"num": to_minimum}
    return words.ngettext("One more wanted", "%(num)s more wanted", to_wanted) % {"num": to_wanted}


def _own_lines(facts: ShiftFacts, voice: Voice) -> list[str]:
    words = voice.words
    if facts.called_off:
        return [words.gettext("The shift is called off. Nobody walks."), _link(facts, voice)]
    names = [name for name in map(one_line, facts.names) if name]
    if names:
        company = words.gettext("You walk with %(names)s.") % {"names": _listed(names, voice.language)}
    else:
        company = words.gettext("Nobody else has booked yet.")
    return [
        *_when_and_where(facts, voice),
        company,
        words.gettext("Cannot come? Tell here: %(link)s") % {"link": _link(facts, voice)},
    ]


def _shared_lines(facts: ShiftFacts, voice: Voice) -> list[str]:
    words = voice.words
    if facts.called_off:
        return [words.gettext("The shift is called off. Nobody walks."), _link(facts, voice)]
    lines = _when_and_where(facts, voice)
    lines.append(
        words.gettext("%(booked)s of %(wanted)s walk; the team needs at least %(minimum)s.")
        % {"booked": facts.booked, "wanted": facts.wanted, "minimum": facts.minimum}
    )
    if voice.kind is CalendarKind.CLUB:
        lines.append(
            words.gettext("From %(club)s: %(number)s") % {"club": one_line(voice.subject), "number": facts.of_club}
        )
    if facts.host_club:
        lines.append(words.gettext("Host club: %(club)s") % {"club": one_line(facts.host_club)})
    lines.append(_link(facts, voice))
    return lines


def _when_and_where(facts: ShiftFacts, voice: Voice) -> list[str]:
    words = voice.words
    starts, ends = facts.starts_at.astimezone(voice.zone), facts.ends_at.astimezone(voice.zone)
    said = {
        "day": languages.day(starts.date(), voice.language),
        "starts": f"{starts:%H:%M}",
        "ends": f"{ends:%H:%M}",
        "meets": _clock(facts.meeting_at, voice.zone),
        "place": one_line(facts.meeting_place),
    }
    lines = [
        words.gettext("%(day)s, %(starts)s to %(ends)s local time.") % said,
        words.gettext("Gather %(meets)s: %(place)s.") % said,
    ]
    if starts.utcoffset() != ends.utcoffset():
        hours = (facts.ends_at - facts.starts_at).total_seconds() / SECONDS_PER_HOUR
        lines.append(
            words.gettext("The clocks change tonight: the walk takes %(hours)s hours and ends at %(ends)s.")
            % {"hours": _number(hours, voice.language), "ends": said["ends"]}
        )
    return [lines[0][:1].upper() + lines[0][1:], *lines[1:]]


def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}"


def _number(value: float, language: str) -> str:
    from babel.numbers import format_decimal

    return format_decimal(value, locale=language)


def _listed(names: Sequence[str], language: str) -> str:
    from babel.lists import format_list

    return format_list(list(names), locale=language)

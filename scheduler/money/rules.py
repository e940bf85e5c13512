"""Rule 7 and what follows from it. Pure: values in, entries and sums out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum, auto
from typing import Any, ClassVar

from scheduler.kit.refusals import Conflict, Invalid, NotFound
from scheduler.nights.rules import ShiftState
from scheduler.partnership.rules import BudgetLineKind, paid_area_nights

ORE_PER_KRONA = 100
LARGEST_RECEIPT_BYTES = 5 * 1024 * 1024
LARGEST_PURCHASE_ORE = 1_000_000 * ORE_PER_KRONA
LONGEST_WHAT_CHARACTERS = 120
DRIFT_AFTER_NIGHTS = 10
DRIFT_TIMES_EQUAL_SHARE = 2


class EntryKind(StrEnum):
    NIGHT = auto()
    REVERSAL = auto()
    PURCHASE = auto()


class Unsettled(StrEnum):
    """Why a shift is not settled."""

    NOT_OVER = auto()
    CALLED_OFF = auto()
    NO_NOTE = auto()
    TOO_FEW = auto()
    NO_CLUB = auto()


def why_unsettled(state: ShiftState, ends_at: datetime, now: datetime, *, noted: bool) -> Unsettled | None:
    """Return why a shift that was published does not become money, or None for one that was walked and noted."""
    if state is ShiftState.CALLED_OFF:
        return Unsettled.CALLED_OFF
    if not noted:
        return Unsettled.NOT_OVER if now < ends_at else Unsettled.NO_NOTE
    return None if state is ShiftState.WALKED else Unsettled.TOO_FEW


class NotSettled(Conflict):
    """The shift does not become money, or not yet. `why` is an Unsettled."""

    room: ClassVar[str] = "money"

    def __init__(self, why: Unsettled) -> None:
        super().__init__(why)
        self.why = why


class AlreadyReversed(Conflict):
    """The entry was taken back before."""

    room: ClassVar[str] = "money"


class NoPurchase(NotFound):
    """There is no such purchase, or none of this partnership's."""

    room: ClassVar[str] = "money"


class NoPayout(NotFound):
    """There is no such payout, or none of this partnership's."""

    room: ClassVar[str] = "money"


class ProposalChanged(Conflict):
    """What is to be paid has become another sum since it was looked at, or somebody has frozen it."""

    room: ClassVar[str] = "money"


class HostChanged(Conflict):
    """Somebody has named another host club since the page was looked at."""

    room: ClassVar[str] = "money"


@dataclass(frozen=True, slots=True)
class Share:
    """What one club gets of one shift, and how many walkers stand behind it."""

    club_id: int
    amount_ore: int
    heads: int


def split(rate_ore: int, heads: Mapping[int, int]) -> tuple[Share, ...]:
    """Return the rate split over clubs by head count, in whole öre, by largest remainder; of equal remainders the
    club with the lower id. The shares sum to the rate exactly. No heads, no shares."""
    total = sum(heads.values())
    if not total:
        return ()
    clubs = sorted(club_id for club_id, count in heads.items() if count)
    whole = {club_id: rate_ore * heads[club_id] // total for club_id in clubs}
    left = rate_ore - sum(whole.values())
    by_remainder = sorted(clubs, key=lambda club_id: (-(rate_ore * heads[club_id] % total), club_id))
    for club_id in by_remainder[:left]:
        whole[club_id] += 1
    return tuple(Share(club_id, whole[club_id], heads[club_id]) for club_id in clubs)


def shares(rate_ore: int, host_club_id: int | None, heads: Mapping[int | None, int]) -> tuple[Share, ...]:
    """Return who gets a walked shift's rate: the host club all of it, else the walkers' clubs by head count.
    Walkers without a club count for nobody."""
    if host_club_id is not None:
        return (Share(host_club_id, rate_ore, sum(heads.values())),)
    return split(rate_ore, {club_id: count for club_id, count in heads.items() if club_id is not None})


@dataclass(frozen=True, slots=True)
class WalkedShift:
    """A shift that was walked and noted. `heads` counts those who came, by club (None: without one)."""

    shift_id: int
    night_id: int
    starts_at: datetime
    rate_ore: int
    host_club_id: int | None
    heads: tuple[tuple[int | None, int], ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a shift costs on which line, and who gets it."""

    line: BudgetLineKind
    shares: tuple[Share, ...]


def line_of(place_in_night: int) -> BudgetLineKind:
    """Return which line pays a night's area, counted from 0."""
    return BudgetLineKind.WEEKEND_NIGHTS if place_in_night == 0 else BudgetLineKind.UNFORESEEN


def wanted_settlements(walked: Iterable[WalkedShift]) -> dict[int, Settlement]:
    """Return how the walked shifts of one night are to be settled: the first by start (then by id) on the line of
    weekend nights, each further one on the unforeseen line. A shift that pays no club has none."""
    in_order = sorted(walked, key=lambda one: (one.starts_at, one.shift_id))
    return {
        one.shift_id: Settlement(line_of(place), found)
        for place, one in enumerate(in_order)
        if (found := shares(one.rate_ore, one.host_club_id, dict(one.heads)))
    }


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry that stands: written and not reversed."""

    id: int
    shift_id: int
    version: int
    line: BudgetLineKind
    share: Share


@dataclass(frozen=True, slots=True)
class Steps:
    """What brings a night's ledger in line: entries to reverse, and settlements to write with their version."""

    reverse: tuple[Entry, ...]
    write: tuple[tuple[int, int, Settlement], ...]


def reconcile(standing: Iterable[Entry], versions: Mapping[int, int], wanted: Mapping[int, Settlement]) -> Steps:
    """Return the steps from what stands to what is wanted; none where they agree. `versions` are the highest
    ever written for each shift."""
    by_shift: dict[int, list[Entry]] = {}
    for entry in standing:
        by_shift.setdefault(entry.shift_id, []).append(entry)
    reverse: list[Entry] = []
    write: list[tuple[int, int, Settlement]] = []
    for shift_id in sorted({*by_shift, *wanted}):
        entries = by_shift.get(shift_id, [])
        target = wanted.get(shift_id)
        found = (
            Settlement(entries[0].line, tuple(sorted((one.share for one in entries), key=lambda share: share.club_id)))
            if entries
            else None
        )
        if found == target:
            continue
        reverse.extend(entries)
        if target is not None:
            write.append((shift_id, versions.get(shift_id, 0) + 1, target))
    return Steps(tuple(reverse), tuple(write))


def rate_on(day: date, first_rate_ore: int, changes: Iterable[tuple[date, int]]) -> int:
    """Return the night rate in öre that holds for a night, from the agreement's first and its changes."""
    rate = first_rate_ore
    for from_on, rate_ore in sorted(changes):
        if from_on <= day:
            rate = rate_ore
    return rate


@dataclass(frozen=True, slots=True)
class LineState:
    """A budget line in öre: its amount, what is used, what published nights and nights without a note commit, and
    what nights that are planned and not published would take."""

    kind: BudgetLineKind
    amount_ore: int
    used_ore: int
    committed_ore: int
    planned_ore: int

    @property
    def left_ore(self) -> int:
        """Return what is neither used nor committed; negative when the line is passed."""
        return self.amount_ore - self.used_ore - self.committed_ore

    @property
    def forecast_ore(self) -> int:
        """Return what the line will have cost at the end of the term if everything is walked as planned."""
        return self.used_ore + self.committed_ore + self.planned_ore


class DeviationKind(StrEnum):
    LINE_PASSED = auto()
    SECOND_AREAS = auto()
    CLUB_DRIFTS = auto()


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something that needs a dialogue before it happens. `line` and `club` where it is about one; `becomes` and
    `agreed` are sums in öre, for second areas counts."""

    kind: DeviationKind
    becomes: int
    agreed: int
    line: BudgetLineKind | None = None
    club: str = ""

    @property
    def key(self) -> str:
        """Return what it is about, the same however large it becomes."""
        return f"{self.kind.value}:{self.line.value if self.line else self.club}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def deviation_from_json(kept: Mapping[str, Any]) -> Deviation:
    """Return a deviation as it was when it was kept."""
    return Deviation(
        DeviationKind(kept["kind"]),
        kept["becomes"],
        kept["agreed"],
        BudgetLineKind(kept["line"]) if kept["line"] else None,
        kept["club"],
    )


def deviations(
    lines: Iterable[LineState], second_areas: int, night_rate_ore: int, clubs: Mapping[str, int], nights: int
) -> list[Deviation]:
    """Return what will differ from the agreement if nothing is done: a line whose forecast passes it, more second
    areas than the unforeseen line pays for, a club with more than twice an equal share after ten nights."""
    found = []
    for line in lines:
        if line.forecast_ore > line.amount_ore:
            found.append(Deviation(DeviationKind.LINE_PASSED, line.forecast_ore, line.amount_ore, line.kind))
        if line.kind is BudgetLineKind.UNFORESEEN:
            paid_for = paid_area_nights(line.amount_ore, night_rate_ore)
            if second_areas > paid_for:
                found.append(Deviation(DeviationKind.SECOND_AREAS, second_areas, paid_for, line.kind))
    total = sum(clubs.values())
    if nights >= DRIFT_AFTER_NIGHTS and len(clubs) > DRIFT_TIMES_EQUAL_SHARE:
        equal = total // len(clubs)
        found += [
            Deviation(DeviationKind.CLUB_DRIFTS, amount_ore, equal, club=club)
            for club, amount_ore in sorted(clubs.items())
            if amount_ore > DRIFT_TIMES_EQUAL_SHARE * equal
        ]
    return found


def ore(typed: str) -> int:
    """Return öre from kronor as Swedes type them: "1 250", "1250,50", "1250.5", "1 250 kr".

    Raises Invalid("amount", problem) with "empty", "not_a_sum", "zero" or "too_large".
    """
    text = re.sub(r"\s|kr\.?$", "", typed.strip().lower().replace("\xa0", " "))
    if not text:
        raise Invalid("amount", "empty")
    found = re.fullmatch(r"(\d{1,9})(?:[.,](\d{1,2}))?(?::-)?", text, re.ASCII)
    if found is None:
        raise Invalid("amount", "not_a_sum")
    amount = int(found[1]) * ORE_PER_KRONA + int((found[2] or "").ljust(2, "0"))
    if amount == 0:
        raise Invalid("amount", "zero")
    if amount > LARGEST_PURCHASE_ORE:
        raise Invalid("amount", "too_large")
    return amount


RECEIPT_BEGINNINGS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


def receipt_type(content: bytes) -> str:
    """Return a receipt's type by what it holds, whatever its name says.

    Raises Invalid("receipt", problem) with "empty", "too_large" or "wrong_type".
    """
    if not content:
        raise Invalid("receipt", "empty")
    if len(content) > LARGEST_RECEIPT_BYTES:
        raise Invalid("receipt", "too_large")
    for beginning, mimetype in RECEIPT_BEGINNINGS:
        if content.startswith(beginning):
            return mimetype
    raise Invalid("receipt", "wrong_type")

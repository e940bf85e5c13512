from collections.abc import Callable, Iterable
from datetime import date

from scheduler.bookings.cards import Card, Step
from scheduler.nights.rules import urgency


def needed_most(cards: Iterable[Card], today: date, habit: Callable[[Card], int], most: int = 3) -> list[Card]:
    """Return the nights that need this person most, by time: one per weekend at most, of those that can be taken.

    Need is `nights.rules.urgency`; `habit(card)` (how often the person walked that area and weekday) decides
    between equal needs.
    """
    able = [card for card in cards if card.step in {Step.BOOK, Step.TAKE_OVER}]

    def need(card: Card) -> tuple[int, int, int, int]:
        missing = max(card.missing_to_wanted, 1)
        score = urgency(
            card.missing_to_minimum,
            missing,
            (card.date - today).days,
            card.flag,
            special=card.special is not None,
        )
        return (-score, -habit(card), card.date.toordinal(), card.shift_id)

    chosen: list[Card] = []
    weeks: set[tuple[int, int]] = set()
    for card in sorted(able, key=need):
        week = card.date.isocalendar()[:2]
        if week not in weeks:
            weeks.add(week)
            chosen.append(card)
        if len(chosen) == most:
            break
    return sorted(chosen, key=lambda card: (card.starts_at, card.shift_id))

"""The autopilot: proposes, or with one switch acts, for the nights that are near and in danger.

It starts what a coordinator could start by a tap, by the same rules and limits, and leaves alone what a person has
stopped. Every step stands in the log, with the product itself as the one who did it.
"""

from datetime import timedelta

from sqlalchemy import Connection, exists, or_, select

from scheduler.gaps import actions
from scheduler.gaps.history import believed, teams
from scheduler.gaps.risk import goal, under_minimum
from scheduler.gaps.rules import OPEN, RISKY_PERCENT, AskingState, AutopilotMode, Policy
from scheduler.gaps.tables import Asking, Autopilot
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow
from scheduler.kit.mapping import aliased
from scheduler.kit.upsert import upsert
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Shift
from scheduler.people.rules import Acting


def policies(connection: Connection) -> list[tuple[int, Policy]]:
    """Return the partnerships whose autopilot is on, with what they have chosen."""
    rows = connection.execute(
        select(Autopilot.partnership_id, Autopilot.mode, Autopilot.days_ahead, Autopilot.asks_a_week).where(
            Autopilot.mode != AutopilotMode.OFF
        )
    )
    return [(row.partnership_id, Policy(row.mode, row.days_ahead, row.asks_a_week)) for row in rows]


def change_policy(connection: Connection, acting: Acting, before: Policy, after: Policy) -> None:
    """Keep what the coordinator has chosen, where it is new. Turning the autopilot off stops at once what it has under
    way."""
    if after == before:
        return
    values = {"mode": after.mode, "days_ahead": after.days_ahead, "asks_a_week": after.asks_a_week}
    upsert(connection, Autopilot, {"partnership_id": acting.partnership_id}, values)
    change = Change("autopilot.changed", before=_told(before), after=_told(after))
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)
    if after.mode is AutopilotMode.OFF:
        running = connection.execute(
            select(Asking).where(
                Asking.partnership_id == acting.partnership_id, Asking.state.in_(OPEN), Asking.started_by.is_(None)
            )
        )
        for asking in running.all():
            actions.end(connection, acting, asking, AskingState.STOPPED)


def _told(policy: Policy) -> dict[str, object]:
    return {
        "autopilot": policy.mode.value,
        "days_ahead": policy.days_ahead,
        "asks_a_week": policy.asks_a_week,
    }


def in_danger(connection: Connection, acting: Acting, policy: Policy) -> list[tuple[int, int]]:
    """Return id and goal of the near shifts that lack people or are at risk and that nobody searches for yet, by
    time. What a person has stopped, or turned down, is left alone."""
    other = aliased(Asking)
    taken = exists().where(
        other.shift_id == Shift.id,
        or_(other.state.in_(OPEN), (other.state == AskingState.STOPPED) & other.ended_by.is_not(None)),
    )
    near = connection.execute(
        select(Shift.id, Shift.minimum, Shift.wanted, Shift.booked, Shift.held)
        .where(
            Shift.partnership_id == acting.partnership_id,
            Shift.state == ShiftState.PUBLISHED,
            Shift.starts_at > acting.now,
            Shift.starts_at <= acting.now + timedelta(days=policy.days_ahead),
            Shift.booked + Shift.held < Shift.wanted,
            ~taken.correlate(Shift),
        )
        .order_by(Shift.starts_at, Shift.id)
    ).all()
    if not near:
        return []
    beliefs = believed(acting.partnership_id, acting.now).ask(connection)
    booked = teams(acting.partnership_id, acting.now, policy.days_ahead).ask(connection)
    found = []
    for row in near:
        team = dict(booked[row.id].by_club) if row.id in booked else {}
        risk = under_minimum(team, row.minimum, beliefs)
        if _endangered(row, risk):
            found.append((row.id, goal(row.minimum, row.wanted, row.booked + row.held, risk, beliefs)))
    return found


def _endangered(row: AnyRow, risk: float) -> bool:
    return row.booked + row.held < row.minimum or 100 * risk >= RISKY_PERCENT


def steer(connection: Connection, acting: Acting, policy: Policy, shift_id: int, goal: int) -> bool:
    """Propose a search, or start it; return whether anything was done. Once more for the same shift does nothing."""
    state = AskingState.RUNNING if policy.mode is AutopilotMode.ACTS else AskingState.PROPOSED
    asking_id = actions.begin(connection, acting, shift_id, goal, state)
    if asking_id is not None and state is AskingState.RUNNING:
        actions.advance(connection, acting, asking_id)
    return asking_id is not None

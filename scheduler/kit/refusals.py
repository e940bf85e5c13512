"""Refusals: what the product says no to. They carry facts; the sentence is chosen where it is shown.

A room's refusal subclasses one of the kinds here, which decides the HTTP status. Each class has its
sentence in `templates/<room>/refusals.html`, as a macro with the class's name.
"""

from typing import ClassVar


class Refusal(Exception):
    """Base of all refusals. `room` says in whose templates the sentence stands."""

    status: ClassVar[int] = 409
    room: ClassVar[str] = "kit"


class NotFound(Refusal):
    """There is no such thing, or it belongs to another partnership: the answer is the same."""

    status = 404


class NotAllowed(Refusal):
    """The visitor is known and may not do this."""

    status = 403


class Conflict(Refusal):
    """It was possible a moment ago, or for somebody else."""

    status = 409


class Invalid(Refusal):
    """What was sent cannot be understood. `field` names what to mend, where one field is at fault."""

    status = 422

    def __init__(self, field: str = "", problem: str = "") -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem


class CrossSite(Refusal):
    """A form that another site sent, or one without this site's token."""

    status = 403


class TooLarge(Refusal):
    """More bytes than any of the product's forms can hold."""

    status = 413


class WrongMethod(Refusal):
    """The address exists, but not for this HTTP method."""

    status = 405


class Unavailable(Refusal):
    """The database is away or locked; nothing was changed."""

    status = 503

"""Who may what, in one table that can be read aloud. Every route names its permission (`kit.web.needs`);
a route that names none stops the application from starting.

Columns: anybody (not signed in), member (signed in, whatever the state), volunteer (approved in a club),
contact (of a club, for that club), coordinator, municipality.
"""

from typing import Protocol

from scheduler.people.rules import Role


class Entrant(Protocol):
    @property
    def signed_in(self) -> bool: ...
    @property
    def roles(self) -> frozenset[str]: ...


ANYBODY = frozenset({"anybody", "member", "volunteer", "contact", "coordinator", "municipality"})
MEMBER = ANYBODY - {"anybody"}

PERMISSIONS: dict[str, frozenset[str]] = {
    "read public pages": ANYBODY,
    "sign in": ANYBODY,
    "join a club": ANYBODY,
    "try the demo": ANYBODY,
    # The webhooks check the operator's signature themselves.
    "speak for the operator": ANYBODY,
    "see nights": MEMBER,
    "manage myself": MEMBER,
    # Whether a booking is allowed is decided by the rules of `bookings`, with a sentence for each no;
    # whose booking it is, is checked there too.
    "book": MEMBER,
    "see my bookings": MEMBER,
    # Who is on the shift may, which the room `walks` checks.
    "walk": MEMBER,
    "lead walks": frozenset({"coordinator"}),
    "see money": frozenset({"coordinator", "municipality"}),
    "lead money": frozenset({"coordinator"}),
    "steer": frozenset({"coordinator", "municipality"}),
    "see reports": frozenset({"coordinator", "municipality"}),
    "lead reports": frozenset({"coordinator"}),
    "see gaps": frozenset({"coordinator", "municipality"}),
    "see people of a shift": frozenset({"coordinator"}),
    # A contact for the own club only; the pages check whose it is.
    "run a club": frozenset({"contact", "coordinator"}),
    "share out shifts": frozenset({"coordinator"}),
    "let a club leave": frozenset({"coordinator"}),
    "change a shift": frozenset({"coordinator"}),
    "plan the season": frozenset({"coordinator"}),
    "name nights": frozenset({"coordinator", "municipality"}),
    "ask for people": frozenset({"coordinator"}),
    "read the log": frozenset({"coordinator"}),
    "see a person": frozenset({"coordinator"}),
    "give roles": frozenset({"coordinator"}),
    "merge people": frozenset({"coordinator"}),
    "vouch for a person": frozenset({"coordinator"}),
    "note a person": frozenset({"coordinator"}),
    "note a number": frozenset({"coordinator"}),
    "see texts": frozenset({"coordinator"}),
    "send texts": frozenset({"coordinator"}),
    "approve members": frozenset({"contact", "coordinator"}),
    "invite members": frozenset({"contact", "coordinator"}),
    # A club's own register, of the own club only; the coordinator's of any.
    "import members": frozenset({"contact", "coordinator"}),
    "export members": frozenset({"contact", "coordinator"}),
}

# Who may give a role, and take it away. Nobody gives one to herself, and a coordinator is always left (`roles.py`).
GIVEN_BY: dict[Role, frozenset[str]] = {
    Role.CONTACT: frozenset({"coordinator"}),
    Role.COORDINATOR: frozenset({"coordinator"}),
    Role.MUNICIPALITY: frozenset({"coordinator"}),
}

# The operator calls the deployment's own address, whichever partnership a text belongs to.
WITHOUT_PARTNERSHIP = frozenset({"speak for the operator"})


def allowed(permission: str, visitor: Entrant) -> bool:
    """Return whether the table lets the visitor use what asks for `permission` (KeyError if unknown)."""
    standing = {"anybody"} | ({"member"} if visitor.signed_in else set()) | visitor.roles
    return bool(PERMISSIONS[permission] & standing)


def roles_may(roles: frozenset[str], permission: str) -> bool:
    """Return whether one of these roles lets somebody use what asks for `permission`."""
    return bool(PERMISSIONS[permission] & roles)


def may_give(role: Role, visitor: Entrant) -> bool:
    """Return whether the table lets the visitor give and take this role."""
    return bool(GIVEN_BY[role] & visitor.roles)

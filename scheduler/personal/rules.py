from scheduler.kit.refusals import Conflict
from scheduler.messages.rules import MessageKind

# Texts to somebody else that name the one whom they tell of.
NAMING = (
    MessageKind.HAND_OVER_OFFERED,
    MessageKind.HAND_OVER_ASKED,
    MessageKind.HAND_OVER_TAKEN,
    MessageKind.HAND_OVER_DECLINED,
    MessageKind.LATE_CANCELLATION,
    MessageKind.PASSED_ON,
)
# Entries of the log that tell what somebody was called, pieces of a number, or when her extract was seen.
TELLING_WHO = ("person.changed", "person.number", "person.number_asked", "person.extract")


class OnlyCoordinator(Conflict):
    """The partnership has no other coordinator: nobody would notice what happens on its nights."""

    room = "personal"


class OutNow(Conflict):
    """The person is on a walk that has begun and is not over."""

    room = "personal"

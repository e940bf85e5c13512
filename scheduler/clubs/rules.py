from scheduler.kit.refusals import Conflict


class CoordinatingClub(Conflict):
    """The club that coordinates is a party to the agreement: it does not leave before that ends."""

    room = "clubs"

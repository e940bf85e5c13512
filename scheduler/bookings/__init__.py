"""The bookings room: a person's place on a shift, the waiting list, and handing a walk over.

Owns Booking and is the only writer of places (`shift.booked`, `shift.held`). Words: a *place* is one of a
shift's `wanted`; a *held* place is offered to somebody in the waiting list until a deadline; a walk that is
*being handed over* stays the giver's until somebody takes it.
How every verb works: hold the people (ascending by id), read fresh facts, decide by the pure rules, take the
place by a guarded UPDATE of the shift, write. All of it in the caller's one transaction, on both databases.
Promises: never more than `wanted`, never one person in two places at a time, never a lost or doubled booking.
"""

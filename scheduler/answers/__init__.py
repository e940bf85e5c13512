"""The answers room: a text that comes in becomes what its sender means.

Owns nothing of its own: what came in stands in `messages`, what it changes in `bookings`. Words: an *open question*
is one that we texted, that is still true and that has time left; JA and NEJ belong to the latest of them.
Promises: each incoming text is acted on once, answered by one text, and only with the operator's signature;
whatever is not understood reaches a coordinator, and a stranger changes nothing.
"""

"""The doubles room: two records of one person become one.

Owns no table; it knows every room's. Words: of two *doubles* one is *kept* and the other is *gone*, and everything
that named the one that is gone names the kept one; two places that one person cannot hold *clash*.
Promises: what moves and what ends is shown before it is done; it is done in one transaction, or not at all; no sum, no
count of walkers and no sequence of a calendar becomes untrue; two who have walked at the same time are two people.
"""

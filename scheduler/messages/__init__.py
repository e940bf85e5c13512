"""The messages room: the outbox of texts (SMS).

Owns Message. A room above queues a message in the transaction that causes it, unique per *fact*, with a due
time and a deadline; the worker sends it when due. Words: *kind* (which text), *fact* (what it says, once),
*about* (what it speaks of, so that it can be dropped when that is no longer so), *claim* and *lease* (one try by one
worker, and how long it lasts), *rest* and *lost text* (a time that the outbox does not know, and what left in it).
Promises: one fact is queued once; nothing is due between 21:00 and 08:00 unless the shift starts within six
hours; every text fits the GSM-7 alphabet and, but for a coordinator's own words, one segment; words are forgotten
after thirty days, at the operator too. This room does not know what a booking is.
"""

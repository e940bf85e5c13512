"""The walks room: the night itself, from "I am here" to the note that makes it a walked shift.

Owns Walk (out and done, the checklist), Arrival (who is here), WalkNote (choices, counts and a short text) and
WalkedFor (the club that a person walked for, as it was on that night).
Promises: nobody goes out with fewer than the minimum; a shift is walked when its note is in and at least the
minimum came, and not otherwise; the text of a note is forgotten, its counts stay.
"""

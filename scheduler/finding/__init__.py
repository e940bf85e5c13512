"""The finding room: how a volunteer finds a night that suits: home, the list, the month, a night, a shift.

Owns no tables. Words: a *card* is one shift as a list shows it to one person; its *step* is the one thing that
the person can do with it. Every number and flag comes from the rules of `nights`, so it is the same everywhere.
"""

"""The clubs room: taking a shift for a club, a fair share of a season, a club's own walks and what they earned.

Owns no tables. Words: the *host club* has taken a shift; its *own members come first* until a moment, then all may
book; the *reserve club* gets a shift that the host gives back; a *wish* is how many shifts a club wants in a term.
Promises: a contact acts for the own club only; nobody takes what another club has.
"""

"""The gaps room: which nights are in danger and why, and asking the people who could fill them.

Owns Asking, Ask and Autopilot. Words: a *gap* is a coming shift that lacks people or is likely to; an *asking* is
the search for people to one shift, in *waves*; an *ask* is one text to one person, who answers JA or NEJ.
Promises: two areas that need coverage always first and every rank told in words; how many people and how much money
are told before anybody is asked; nobody is asked more often than the limit, twice about one shift, by night, or
about two walks at a time, however many processes ask; a place is taken by the rules of any booking.
"""

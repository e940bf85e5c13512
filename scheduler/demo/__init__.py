"""The demo room: the real agreement of 2022, moved so that today lies inside its term, and invented people.

Uses the actions of the other rooms and writes no table itself. All mobile numbers lie in the series that is
reserved for fiction, 070-174 06 05 to 99 (Swedish Post and Telecom Authority), so no text can reach a person.
Promises: the same seed and the same day give the same demo; filling it twice changes nothing.
"""

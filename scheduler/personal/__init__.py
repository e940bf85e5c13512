"""The personal room: what the product keeps of somebody, all of it to take along, and being forgotten.

Owns no table; it knows every room's. Words: *forgetting* somebody empties what says who they are and ends what is
to come; what was walked stays as numbers, under an id that no longer names anybody.
Promises: after forgetting, no column holds the name, the number or the birth date; counts and sums stay as they
were; a coming walk is free again as if its owner had cancelled; a partnership never loses its last coordinator.
"""

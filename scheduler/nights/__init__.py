"""The nights room: evenings, shifts, how a season is planned, and how a shift or a night stands.

Owns Night and Shift. A *night* is the date on which the evening starts; a *shift* is one area on one night;
*coverage* is uncovered, thin or full; *flags* say that two areas are open, or that two need coverage.
Promises: coverage and flags are derived, never stored; a shift never holds more than `wanted` people,
which the database checks too.
"""

"""The gaps room: the coordinator's board: which nights are in danger, why, and who is on them.

Owns no tables yet. Words: a *gap* is a coming night with a shift that lacks people. Promises: ranked by
`nights.rules.urgency`, two areas that need coverage always first, the reasons in words, never a number alone.
"""

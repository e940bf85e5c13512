"""The steering room: the group of both partners, its meetings and its decisions.

Owns SteeringMember, Meeting, Decision, Consent and Opening (a second area opened by a decision).
Words: a *partner* is the municipality or the coordinating club;
a decision is *decided* when both have consented, each by its own hand.
Promises: nobody consents for the other partner; next year's agreement is made from this one only when that is decided.
"""

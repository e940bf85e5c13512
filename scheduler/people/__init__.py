"""The people room: who somebody is, which club they belong to, what they may do, and signing in.

Owns Person, Membership (pending, invited, approved, ended), RoleGrant, PersonNote, SignInCode, SignInSession,
LimitCount.
Words: a *visitor* is whoever looks at a page, signed in or not; a *permission* is what a route asks for.
Promises: nobody under 18 gets an account; a code works once, for ten minutes, in the browser that asked;
a session can be ended per device; who may what stands in `permissions.py` and nowhere else.
"""

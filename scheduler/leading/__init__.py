"""The leading room: what a coordinator does before the night: plan a season, change a shift, open a second area.

Owns no tables. Words: a *plan* is the nights that were made at one time; a *swap* gives up one night's money for
another; an *edition* counts the coordinators' own changes of a shift. Promises: nothing that is saved here sends a
text unless the coordinator has seen to whom and said so; the later of two coordinators is told, never overruled.
"""

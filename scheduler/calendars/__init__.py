"""The calendars room: feeds that a calendar program reads by a secret address.

Owns Calendar (one text: a person's walks, the partnership's nights, an area's, a club's, or what needs people),
CalendarEvent (what was last shown of a shift in it), CalendarFeed (a secret address of one person) and
CalendarChange (what has changed since anybody looked; written by triggers, so that no change can be forgotten).
Words: a calendar is *stale* when a fact of it may have changed; *noting* takes the changes in and says which
calendars are stale; *making* draws a stale one anew and keeps its bytes.
Promises: same facts, same bytes, in every process; an event's sequence rises with each visible change of it and
with nothing else; an unchanged feed costs one SELECT; in trouble the last good bytes, never an empty calendar.
"""

"""The sendings room: the coordinator's side of texts.

Owns nothing of its own. What was sent about a shift, to a person and today, with how each text stands in words;
sending to the people of a night or to a group, with the real text, receivers and cost before the tap; what a month
may cost. Words: an *audience* is whom a sending goes to.
Promises: nothing leaves without a preview, the same form twice is one sending, and only what surely did not arrive,
or a person has looked into, is sent again.
"""

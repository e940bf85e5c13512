"""Tools that know no word of the domain.

Here stand the clock, the settings, the database, the refusals, the web frame, languages, phone numbers
and the audit log. Every room may use the kit; the kit uses no room.
"""

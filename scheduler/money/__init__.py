"""The money room: what each walked night cost, which budget line paid it and which club earned it.

Owns NightRate, LedgerEntry, Purchase and Receipt. Words: to *settle* a night is to bring its entries in line with
what was walked; an *entry* is a sum in öre on a budget line; a *reversal* takes an entry back.
Promises: sums are whole öre; no entry is ever changed or deleted; settling again, or twice at once, changes nothing;
the sums of the clubs, of the lines and of the nights are always the same.
"""

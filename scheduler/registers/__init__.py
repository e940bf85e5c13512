"""The registers room: a club's own list of members comes in, and the list of people goes out, as files.

Owns MemberList. Words: a *register* is the list that another system (IdrottOnline, SportAdmin, Laget.se …) has
written; a *member list* is what was read of one, kept for an hour between the preview and the confirmation; a
*field* is what Lykta needs, a *column* what the file has; the *standing* of a row is what would become of it.
Promises: an identity number becomes a birth date while the file is read and is written nowhere; what is not needed
is dropped at once; all good rows come in by one transaction or none; what goes out holds no formula and no birth date.
"""

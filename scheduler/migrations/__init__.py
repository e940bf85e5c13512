"""The database's history. Revisions are named 0001, 0002 …; each also tells the way back."""

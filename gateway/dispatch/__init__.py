"""Whose turn is it, and what did the carrier say? Claims, marks, calls once, records."""

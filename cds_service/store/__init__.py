"""The database: feedback, which rule each card came from, and daily counts. No patient data.

Nothing outside this package knows SQL.
"""

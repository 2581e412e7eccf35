"""Recordings: labelled activity over time, in memory or on disk."""

"""Masking with the person at the screen as the observer."""

"""Panels that each measure one thing."""

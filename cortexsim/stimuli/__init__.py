"""Stimuli: images, masks and presentations over time."""

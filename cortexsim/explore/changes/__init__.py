"""The panel on what changes in a state over time."""

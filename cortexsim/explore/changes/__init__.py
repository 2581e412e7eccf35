"""The panel on changes in a state over time."""

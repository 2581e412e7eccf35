"""The panel on a sweep: its grids, its question, and what is known of the points."""

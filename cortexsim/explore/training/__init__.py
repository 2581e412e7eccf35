"""The training panel: watch a model learn."""

"""The model: a graph with weights, unrolled in time."""

"""A cortex as a graph: states, transitions, their schedule over time, and interventions on them. No torch."""

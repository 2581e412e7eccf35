"""The cortex as a graph: states, transitions, their schedule over time, and interventions. No torch."""

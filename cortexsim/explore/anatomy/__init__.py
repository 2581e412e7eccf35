"""The anatomy panel: build a graph of areas."""

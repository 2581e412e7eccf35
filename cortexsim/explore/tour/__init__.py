"""The first panel: one picture on its way through the areas."""

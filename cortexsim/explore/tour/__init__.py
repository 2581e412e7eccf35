"""The first panel: one image on its way through the areas."""

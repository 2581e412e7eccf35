"""Generated input: a right result, or an error in the project's own words."""

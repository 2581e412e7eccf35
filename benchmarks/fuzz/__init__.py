"""Generated input: the result is correct, or the error is one that the project words itself."""

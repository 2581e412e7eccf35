"""Parts that every room needs and that know nothing of models: checks, files, random numbers, resources."""

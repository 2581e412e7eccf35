"""Support for all packages, independent of models: checks, files, random numbers, resources."""

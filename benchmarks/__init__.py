"""Benchmarks, one file for each question: `uv run python -m benchmarks`. No time ever fails a test."""

"""How fast it is, one file a question: `uv run python -m benchmarks`. Numbers for people; no time ever fails a test."""

"""The live page: the tracer runs in the browser, on what its visitor draws."""

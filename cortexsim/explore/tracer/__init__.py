"""The tracer panel: draw curves, and watch a recurrent model of V1 find the one of the dot."""

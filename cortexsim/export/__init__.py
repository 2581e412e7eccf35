"""Pages that need no kernel."""

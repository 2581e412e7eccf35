"""Parts of all panels."""

"""What Sphinx makes besides the pages that are written by hand."""

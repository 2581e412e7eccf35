"""JupyterLab: start it, and check that this machine can."""

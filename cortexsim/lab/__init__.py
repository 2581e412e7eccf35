"""JupyterLab: starting it, and checking this machine."""

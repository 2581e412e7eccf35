"""The plan for a few minutes on a GPU: `python -m benchmarks device --minutes 8 --to FOLDER`.

It needs torch, numpy, xarray, pandas and pytest (and lazy_loader), and no network. `--device cpu --quick` rehearses it.
"""

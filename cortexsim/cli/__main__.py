"""Lets `python -m cortexsim.cli` do what `cortexsim` does."""

import sys

from cortexsim.cli import main

if __name__ == "__main__":
    sys.exit(main())

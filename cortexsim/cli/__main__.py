"""Entry point of `python -m cortexsim.cli`, the same as `cortexsim`."""

import sys

from cortexsim.cli import main

if __name__ == "__main__":
    sys.exit(main())

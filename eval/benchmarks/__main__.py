"""`python -m eval.benchmarks NAME`: runs one of the benchmarks.

They start child processes, which import the program's main module again: this one costs them nothing.
"""

import sys
from importlib import import_module

BENCHMARKS = ("fusion", "gpu", "indexing", "results", "running", "search", "stores")

if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in BENCHMARKS:
        sys.exit(f"Which benchmark? Give one of {', '.join(BENCHMARKS)}.")
    del sys.argv[1]
    import_module(f"eval.benchmarks.{name}").main()

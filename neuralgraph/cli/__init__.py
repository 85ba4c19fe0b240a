"""The command ``ngr``, one file per verb.

Results go to stdout, progress and one-line errors to stderr. Exit codes: 0 success; 1 finished, but something failed or
is invalid; 2 wrong usage; 3 the input cannot be read or is not valid; 4 an extra or a model is missing.
"""

from neuralgraph.cli.main import main

__all__ = ["main"]

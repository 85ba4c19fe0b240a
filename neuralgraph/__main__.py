"""``python -m neuralgraph`` is the command ``ngr``."""

from neuralgraph.cli import main

main()

"""Loaders against their rivals: ``python -m bench.loaders``; see ``__main__`` for the method."""

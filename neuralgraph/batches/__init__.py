"""The training graph: from studies, or the bytes of their records, to the arrays of a batch.

What a graph is stands in ``joined``, ``features`` and ``targets``, each formula once, over ``Study``. ``reader`` reads
the studies of an archive for batches.
"""

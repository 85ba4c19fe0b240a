"""The training graph: from studies, or the bytes of their records, to the arrays of a batch.

What a graph is stands in ``joined``, ``features`` and ``targets``, each formula once, over ``Study``. ``reader`` reads
the studies of an archive for batches.

- ``arrays``: many graphs as one: which arrays there are, and where each graph begins in them
- ``features``: concepts as vectors, without a model: words and their pieces hashed to fixed places
- ``joined``: the study as one graph: patches and concepts numbered together, every kind of edge in one list
- ``kernel``: batches by the compiled kernel, where there is one
- ``memory``: memory of large arrays that is used again, so that a batch does not pay for pages that the one before
  gave back
- ``pruning``: fewer patches per study at load time: what ``Study.prune`` gives
- ``reader``: the studies of a file, an archive, or a folder of them, for batches
- ``remembered``: what batches ask for again and again and is a function of what they read
- ``splits``: which studies of an archive a list of ids means
- ``targets``: labels as a training target: one row of values and one of what may be trusted
"""

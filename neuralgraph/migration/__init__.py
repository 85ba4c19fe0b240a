"""Graphs that the published NEURAL code saved with ``torch.save``, read without unpickling anything.

``archive`` finds the bytes in the zip container, ``interpreter`` turns the few instructions such files use into inert
``values``, ``tensors`` copies numbers out of raw storages, ``saved_graphs`` says what a graph consists of, ``roles``
tells patches from concepts, ``arrays`` and ``studies`` are what becomes of it. Nothing here imports torch, and nothing
in a file can name anything to import or call.
"""

from neuralgraph.migration.saved_graphs import CARRIED, ReferenceFile, ReferenceGraph, open_reference

__all__ = ["CARRIED", "ReferenceFile", "ReferenceGraph", "open_reference"]

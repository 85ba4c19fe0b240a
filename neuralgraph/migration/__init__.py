"""Graphs that the published NEURAL code saved with ``torch.save``, read without unpickling anything.

Nothing here imports torch, and nothing in a file can name anything to import or call.

- ``archive``: the zip container of ``torch.save``, read strictly
- ``arrays``: saved graphs as a NumPy archive that ``numpy.load`` reads as it is, without ``allow_pickle``
- ``interpreter``: the few instructions that a saved list of graphs uses, acted out on inert values
- ``roles``: which nodes of a saved graph are patches and which are concepts, where that can be proven
- ``saved_graphs``: what a saved graph consists of, and which of it is carried over
- ``studies``: saved graphs as studies, as far as their meaning allows
- ``tensors``: tensors as arrays
- ``values``: what a saved list of graphs can be made of
- ``weights``: weights that ``torch.save`` wrote
"""

from neuralgraph.migration.saved_graphs import CARRIED, ReferenceFile, ReferenceGraph, open_reference

__all__ = ["CARRIED", "ReferenceFile", "ReferenceGraph", "open_reference"]

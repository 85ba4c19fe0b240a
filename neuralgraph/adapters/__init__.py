"""A study in the terms of other libraries, one file each.

- ``graphml``: a study as GraphML, for programs that draw and analyse graphs (Gephi, Cytoscape, yEd, igraph)
- ``json``: a study as JSON that any program can read
- ``networkx``: a study as a networkx graph and back, with nothing lost
- ``npz``: a study as a NumPy archive that ``numpy.load`` reads as it is, without ``allow_pickle``
- ``picture``: a study as a picture: kept patches and attention over the film, beside the graph of the report
- ``pyg``: studies for PyTorch Geometric: single graphs, data sets, and whole batches straight from archives
- ``radgraph``: the report graph in the JSON of RadGraph, and back
- ``safetensors``: a study as a safetensors file: arrays as tensors, everything else as one text of its metadata
- ``viewer``: a study in a browser
"""

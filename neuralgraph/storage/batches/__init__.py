"""Whole batches of graphs as NumPy arrays, straight from archives: no Python object per study.

``BatchReader`` reads them. ``selection`` cuts the light columns of a batch out of a graphs section, or out of records
where there is none; ``embeddings`` brings the embeddings from the file to their place; ``assembly`` joins both.
"""

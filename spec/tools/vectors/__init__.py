"""The conformance vectors in spec/vectors.

``draft`` lays out a file from its parts, any of which can be wrong on purpose while all checksums and digests around it
are right; ``studies`` makes drafts of studies. ``valid`` and ``invalid_*`` are tables, a vector a row (``vector`` says
what is in one): to add a vector, add its row. ``corpus`` is all of them with their index.
"""

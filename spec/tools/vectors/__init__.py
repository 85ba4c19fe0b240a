"""The conformance vectors in spec/vectors.

``draft`` lays out a file from its parts, any of which can be wrong on purpose while all checksums and digests around it
are right; ``valid`` and ``invalid_*`` are the vectors, ``corpus`` is all of them with
their index.
"""

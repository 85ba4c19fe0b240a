"""The conformance vectors in spec/vectors: the command that wrote them (``python -m spec.tools.vectors``).

``draft`` lays out a file from its parts, any of which can be wrong on purpose while all checksums and digests around it
are right; ``valid`` and ``invalid_*`` are the vectors, ``corpus`` writes them.
"""

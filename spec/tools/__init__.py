"""What writes the files of the specification: ``python -m spec.tools``, ``--check`` to compare only.

``vectors`` are the files of spec/vectors that readers must accept and refuse, ``codec_vectors`` the planes and frames
in codecs/NAME/vectors.json, ``tables`` the tables of the code for other languages (spec/*.json), ``worked_example`` the
smallest file byte by byte (spec/worked-example.md). ``python -m spec.tools.fixtures`` is a command of its own, for a
release: it writes tests/fixtures/VERSION, files as this version writes them.
"""

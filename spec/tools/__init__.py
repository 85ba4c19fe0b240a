"""What writes the files of ``spec/``, ``codecs/*/vectors.json`` and ``tests/fixtures``, each a command of its own.

    python -m spec.tools.vectors [--check]          spec/vectors: files that readers must accept and refuse
    python -m spec.tools.codec_vectors [--check]    codecs/NAME/vectors.json: planes and frames of one codec
    python -m spec.tools.tables [--force]           spec/*.json: the tables of the code for other languages
    python -m spec.tools.worked_example [--write]   spec/worked-example.md: the smallest file, byte by byte
    python -m spec.tools.fixtures                   tests/fixtures/VERSION: files as this version writes them

Vectors and fixtures that exist are never written over: readers may have been tested against them.
"""

"""What every part of the format shares: vocabularies, limits, integers, checksums, canonical maps.

- ``canonical``: canonical maps: the strict subset of MessagePack used for structured metadata
- ``checksums``: checksums and digests (FORMAT.md section 4): CRC-32 against accidents, SHA-256 for identity
- ``columns``: the record as columns: which arrays a study consists of, and their sizes (FORMAT.md section 5)
- ``composed``: Unicode composed (NFC) in time that grows with the text, whatever the text is
- ``computed``: properties that are computed when they are first asked for, without a lock
- ``escapes``: text that can neither move a terminal's cursor nor turn its direction
- ``fields``: fixed binary structures as tables: a name, a format, and the only value allowed where there is one
- ``json_reading``: JSON that others wrote: whatever is wrong with it is a ValueError
- ``limits``: what a reader accepts before it takes memory (FORMAT.md section 9)
- ``names``: the name grammar of sections, extensions and provenance keys (FORMAT.md sections 6.2 and 12.2)
- ``npz``: named arrays as a NumPy archive
- ``study_columns``: a study as its columns: what the graph gives meaning to and the container stores
- ``vocabulary``: the closed vocabularies of a study: one literal table each, used by every floor
"""

"""The layout of a file. Prologue, records, sections, table of contents, trailer (FORMAT.md sections 3 to 6).

From the inside out: ``layout`` (the fixed structures) -> ``record`` (one study) -> ``index`` and ``contents`` (what
finds records) -> ``writer`` and ``reader`` (a whole file). Nothing here knows what a study means.

- ``contents``: the table of contents: what records share (``meta``), where sections lie (``layout``)
- ``encode``: writing a record: columns to bytes, the same bytes wherever the record goes
- ``index``: the index section: where each record lies, how large its graph is, and its leaf digest
- ``keys``: the keys section: study ids of an archive, for lookup without reading records
- ``layout``: the fixed structures of a file and its extents (FORMAT.md section 3)
- ``pages``: the payload of a section, read and verified by pages (FORMAT.md section 6)
- ``reader``: reading a file: every byte is under a check, every size justified before memory is taken
- ``record``: one study, the same bytes in a file of its own and in an archive (FORMAT.md section 5)
- ``salvage``: where the records of a damaged file are, and what its end still says of them
- ``source``: where the bytes of a file come from: memory, a local file, an object behind a network
- ``streams``: the parts of a record: header, stream table, and what each stream id means
- ``writer``: writing a file in one pass: records, then sections, table of contents and trailer
"""

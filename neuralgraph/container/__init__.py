"""The layout of a file. Prologue, records, sections, table of contents, trailer (FORMAT.md sections 3 to 6).

From the inside out: ``layout`` (the fixed structures) -> ``record`` (one study) -> ``index`` and ``contents`` (what
finds records) -> ``writer`` and ``reader`` (a whole file). Nothing here knows what a study means.
"""

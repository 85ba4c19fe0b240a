"""The layout of a file. Prologue, records, sections, table of contents, trailer (FORMAT.md sections 3 to 6).

From the inside out: ``layout`` (the fixed structures); ``record`` (one study), its parts (``streams``) and how it is
made (``encode``); ``index`` and ``keys`` (what finds records), read by ``pages``; ``contents`` (what records share, and
where sections lie); ``writer`` and ``reader`` (a whole file), and ``source`` (where its bytes come from). Of a damaged
file ``salvage`` finds records, and ``tail`` what its end still says. Nothing here knows what a study means.
"""

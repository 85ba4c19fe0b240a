"""Arrays to bytes and back, as pure functions. The book of codecs is the top-level folder ``codecs/``.

Two kinds, never mixed: a *form* writes a float32 matrix as byte planes (and may lose precision, within a stated bound);
a *byte codec* stores one stream of bytes without loss. ``registry`` holds both tables.

- ``floating``: forms ``float32``, ``bfloat16`` and ``float16``
- ``forms``: what a form is: a way to write a float32 matrix as byte planes that later go through a byte codec
- ``int8``: form ``int8``: one signed byte per value and one float32 scale per row (codecs/int8/SPEC.md)
- ``loss``: how far a decoded matrix is from the one it was made of: measures that every form is judged by
- ``registry``: the shelf: every codec this version has, in literal tables that dispatch, documents and tests read
  alike
- ``svd``: form ``svd``: the patches of a study in the basis in which they are least alike (codecs/svd/SPEC.md)
- ``zstd``: byte codec 1, ``zstd``: exactly one frame of RFC 8878, under rules a small reader can check
"""

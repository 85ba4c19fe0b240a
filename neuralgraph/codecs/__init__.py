"""Arrays to bytes and back, as pure functions. The book of codecs is the top-level folder ``codecs/``.

Two kinds, never mixed: a *form* writes a float32 matrix as byte planes (and may lose precision, within a stated bound);
a *byte codec* stores one stream of bytes without loss. ``registry`` holds both tables.
"""

"""The bytes of a file, wherever it lies: on a disk, behind a network, in memory.

``places`` (what names a file) and ``sources`` (its bytes, whatever names it) are the way in. Of a local file: ``files``
(read by positions) and ``descriptor`` (the system's number of an open file, with one owner). Of a file behind a
network: ``remote`` (read by ranges), ``file_system`` (what fsspec has for a URL), ``http`` (bodies within bounds),
``attempts`` (what may pass is tried again), ``pieces`` (what has come) and ``under_way`` (what was asked for). Nothing
here knows what the bytes mean.
"""

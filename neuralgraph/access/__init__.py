"""The bytes of a file, wherever it lies: on a disk, behind a network, in memory. Nothing here knows what they mean.

- ``places``: what names a file
- ``sources``: its bytes, whatever names it
- ``files``: a local file, read by positions
- ``descriptor``: the system's number of an open file, with one owner
- ``remote``: a file behind a network, read by ranges
- ``file_system``: what fsspec has for a URL
- ``http``: what HTTP adds: bodies that end where they were asked to, statuses as they are
- ``attempts``: what may pass is tried again
- ``pieces``: parts of a file that have come
- ``under_way``: parts that were asked for
"""

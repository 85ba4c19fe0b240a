"""Where the layout of a file and the meaning of a study meet: save, load, open, pack, unpack, validate."""

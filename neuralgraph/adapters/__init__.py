"""A study in the terms of other libraries, one file each."""

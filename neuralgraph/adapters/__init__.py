"""Floor 5: a study in the terms of other libraries, one file each."""

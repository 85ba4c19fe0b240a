"""Floor 1: what every part of the format shares: vocabularies, limits, integers, checksums, canonical maps."""

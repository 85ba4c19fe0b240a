"""What every part of the format shares: vocabularies, limits, integers, checksums, canonical maps."""

"""Coverage-guided fuzzing of what reads files of unknown origin; see README.md in this folder."""

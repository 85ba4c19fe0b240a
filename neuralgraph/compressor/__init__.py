"""Floor 6: film and report to study."""

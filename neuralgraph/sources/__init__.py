"""Floor 5: films and reports from the formats people have."""

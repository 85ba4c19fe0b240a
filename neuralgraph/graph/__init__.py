"""Floor 3: the study as a typed graph, in numpy only."""

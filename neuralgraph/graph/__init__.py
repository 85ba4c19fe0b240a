"""The study as a typed graph, in numpy only."""

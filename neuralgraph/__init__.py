"""neuralgraph: a medical study as a compact, trustworthy graph."""

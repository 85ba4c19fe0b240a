"""The pages of the measurements, a module each.

A chapter has ``TITLE``, ``RESULTS`` (the name of its file in bench/results) and ``write(results)``, which gives the
text. It is found by being there, and has a page once its results are committed.
"""

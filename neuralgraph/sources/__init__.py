"""Films and reports from the formats people have.

- ``documents``: reports as hospitals keep them
- ``files``: whole files into memory, bounded
- ``films``: films as people have them
- ``layouts``: data sets as people have them, each resolved to one manifest before anything is converted
- ``reports``: report texts, in one normal form, so that offsets into them mean the same everywhere
"""

from neuralgraph.sources.films.film import Film, FilmLimits, film_from_array
from neuralgraph.sources.films.recognise import read_film
from neuralgraph.sources.reports import normalise_report, read_report

__all__ = ["Film", "FilmLimits", "film_from_array", "normalise_report", "read_film", "read_report"]

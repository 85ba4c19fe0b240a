"""Floor 5: films and reports from the formats people have."""

from neuralgraph.sources.film import Film, FilmLimits, film_from_array
from neuralgraph.sources.recognise import read_film
from neuralgraph.sources.reports import normalise_report, read_report

__all__ = ["Film", "FilmLimits", "film_from_array", "normalise_report", "read_film", "read_report"]

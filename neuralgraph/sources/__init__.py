"""Films and reports from the formats people have."""

from neuralgraph.sources.films.film import Film, FilmLimits, film_from_array
from neuralgraph.sources.films.recognise import read_film
from neuralgraph.sources.reports import normalise_report, read_report

__all__ = ["Film", "FilmLimits", "film_from_array", "normalise_report", "read_film", "read_report"]

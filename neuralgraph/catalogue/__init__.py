"""The catalogue: tables about studies, in Parquet, and questions to them.

``write_catalogue`` makes three files of any archives: studies, concepts and triples. ``Catalogue`` asks them, in words
("right effusion present, no tube") or in SQL by DuckDB. The extra ``catalog`` brings pyarrow and duckdb.
"""

from neuralgraph.catalogue.database import Catalogue
from neuralgraph.catalogue.question import Question, Term, parse_question
from neuralgraph.catalogue.tables import catalogue_paths, write_catalogue

__all__ = ["Catalogue", "Question", "Term", "catalogue_paths", "parse_question", "write_catalogue"]

"""About archives: tables of their studies, questions to these, and what is in them in numbers.

``write_catalogue`` (``tables``) makes three Parquet files of any archives: studies, concepts and triples. ``Catalogue``
(``database``) asks them, in words ("right effusion present, no tube": ``question``) or in SQL by DuckDB. The extra
``catalog`` brings pyarrow and duckdb. ``summary`` has the facts of one file, ``overview`` what many studies have in
common.
"""

from neuralgraph.catalogue.database import Catalogue
from neuralgraph.catalogue.question import Question, Term, parse_question
from neuralgraph.catalogue.tables import catalogue_paths, write_catalogue

__all__ = ["Catalogue", "Question", "Term", "catalogue_paths", "parse_question", "write_catalogue"]

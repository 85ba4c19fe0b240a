"""About archives: tables of their studies, questions to these, and what is in them in numbers.

``write_catalogue`` makes three Parquet files of any archives: studies, concepts and triples. ``Catalogue`` asks them,
in words ("right effusion present, no tube") or in SQL by DuckDB. The extra ``catalog`` brings pyarrow and duckdb.

- ``tables``: catalogues as Parquet
- ``paths``: where they lie
- ``question``: questions in words
- ``database``: a catalogue that is asked
- ``summary``: the facts of one file
- ``overview``: what many studies have in common
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralgraph.late import late

if TYPE_CHECKING:
    from neuralgraph.catalogue.database import Catalogue
    from neuralgraph.catalogue.paths import catalogue_paths
    from neuralgraph.catalogue.question import Question, Term, parse_question
    from neuralgraph.catalogue.tables import write_catalogue
else:
    __getattr__ = late(
        __name__,
        {
            "Catalogue": "database.Catalogue",
            "Question": "question.Question",
            "Term": "question.Term",
            "catalogue_paths": "paths.catalogue_paths",
            "parse_question": "question.parse_question",
            "write_catalogue": "tables.write_catalogue",
        },
    )

__all__ = ["Catalogue", "Question", "Term", "catalogue_paths", "parse_question", "write_catalogue"]


def __dir__() -> list[str]:
    """What there is, imported already or not."""
    return sorted({*globals(), *__all__})

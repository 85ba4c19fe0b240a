"""Questions to a catalogue, by DuckDB: in memory, on Parquet files, with nothing but these files within its reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neuralgraph.catalogue.paths import tables_at
from neuralgraph.catalogue.question import Question, Term, parse_question
from neuralgraph.errors import FormatError, StudyError, missing_extra
from neuralgraph.rows.columns import STUDY_FACTS, TABLES, arrow

__all__ = ["Catalogue"]

_MEMORY = "256MB"
_GIVEN = "report = 'given'"


class Catalogue:
    """The tables ``studies``, ``concepts`` and ``triples``, to be asked.

    Findings of reports that a model wrote are no findings: words ask given reports only, unless ``generated`` is given.
    SQL sees everything, and the column ``report`` says which is which.

    Parameters
    ----------
    path : a file of studies as ``write_catalogue`` writes it, or the folder of a collection; or by table the Parquet
        files, at least one each; or by table an Arrow table, as ``Archive.table`` gives it.

    Raises
    ------
    MissingExtraError (E_EXTRA) : duckdb is not installed.
    FormatError (E_OPEN) : a file is missing, or the first of a table is no Parquet.
    CollectionError (E_QUERY) : the collection keeps no tables, or is empty.
    """

    def __init__(self, path: str | Path | Mapping[str, Sequence[str] | Any]) -> None:
        try:
            import duckdb
        except ImportError as error:
            raise missing_extra("asking a catalogue", extra="catalog", library="duckdb") from error
        self._errors = duckdb.Error
        sources: Mapping[str, Any] = path if isinstance(path, Mapping) else tables_at(Path(path))
        studies = sources["studies"] if isinstance(sources["studies"], list | tuple) else ()
        self._tables = {Path(name).name.removesuffix(".studies.parquet"): str(name) for name in studies}
        """Files of studies by the name of the archive, where each archive has one of its own."""
        files = [str(Path(name)) for found in sources.values() if isinstance(found, list | tuple) for name in found]
        for name in files:
            if not Path(name).is_file():
                raise FormatError("the catalogue is not there; make it with: ngr catalog", code="E_OPEN", where=name)
        self._files: dict[str, list[str]] = {}
        """By table the files whose columns have not been put together yet."""
        self._database = duckdb.connect(":memory:", config={"memory_limit": _MEMORY, "threads": 2})
        try:
            for table in TABLES:
                found = sources[table]
                if isinstance(found, list | tuple):
                    self._files[table] = list(found)
                    self._database.read_parquet(self._files[table]).create_view(table)
                else:
                    self._database.from_arrow(found).create(table)
            self._database.execute(f"SET allowed_paths = [{', '.join(map(_quoted, sorted(files)))}]")
            self._database.execute("SET enable_external_access = false")
            self._database.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            raise FormatError("the catalogue is not readable Parquet", code="E_OPEN", where="catalogue") from error

    def find(self, question: str | Question, *, generated: bool = False) -> list[str]:
        """Ids of the studies that answer, in the order of the catalogue.

        Parameters
        ----------
        question : words as ``parse_question`` reads them, or what it gives.
        generated : count what a model wrote as findings too.

        Raises
        ------
        StudyError (E_QUERY) : the question cannot be understood.
        FormatError (E_OPEN) : a file is damaged.
        """
        asked = parse_question(question) if isinstance(question, str) else question
        sql, values = _statement(asked, generated=generated)
        return [row[0] for row in self._in_words(sql, values)]

    def reasons(
        self, study_ids: Sequence[str], question: str | Question, *, generated: bool = False
    ) -> dict[str, list[str]]:
        """Why each study answers: its concepts that a term asks for ("right effusion: present"), in their order.

        Parameters
        ----------
        study_ids : of studies that answer.
        question, generated : as for ``find``.

        Raises
        ------
        StudyError (E_QUERY) : the question cannot be understood.
        FormatError (E_OPEN) : a file is damaged.
        """
        found: dict[str, list[str]] = {study_id: [] for study_id in study_ids}
        asked = parse_question(question) if isinstance(question, str) else question
        if not found:
            return found
        marks = ", ".join("?" * len(found))
        for term in asked.terms:
            values: list[Any] = []
            condition = _condition(term, values) + ("" if generated else f" AND {_GIVEN}")
            sql = (
                "SELECT study_id, name, polarity, side, place FROM (SELECT archive, position, study_id FROM studies "
                f"WHERE study_id IN ({marks})) JOIN (SELECT * FROM concepts WHERE {condition}) "
                "USING (archive, position) ORDER BY archive, position, number"
            )
            for study_id, *words in self._in_words(sql, [*found, *values]):
                reason = _reason(*words)
                if reason not in found[study_id]:
                    found[study_id].append(reason)
        return found

    def rows_of(self, study_ids: Sequence[str], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Some columns of the rows of some studies, in the order of ``study_ids``.

        Parameters
        ----------
        columns : names that are in ``neuralgraph.rows.columns.STUDY_FACTS``, ``study_id`` among them.
        """
        if not study_ids:
            return []
        marks = ", ".join("?" * len(study_ids))
        found = self._rows(columns, f"study_id IN ({marks})", list(study_ids))
        order = {study_id: number for number, study_id in enumerate(study_ids)}
        return sorted(found, key=lambda row: order[row["study_id"]])

    def rows_at(self, archive: str, start: int, stop: int, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Some columns of the rows of an archive from a position to another; ``columns`` as for ``rows_of``."""
        condition, values = "archive = ? AND position >= ? AND position < ?", [archive, start, stop]
        # Of a collection of a thousand archives all tables would be opened for one page of a list.
        table = f"read_parquet({_quoted(self._tables[archive])})" if archive in self._tables else "studies"
        return self._rows(columns, condition, values, table)

    def _rows(
        self, columns: Sequence[str], condition: str, values: list[Any], table: str = "studies"
    ) -> list[dict[str, Any]]:
        names = [name for name in STUDY_FACTS if name in columns]
        sql = f"SELECT {', '.join(names)} FROM {table} WHERE {condition} ORDER BY archive, position"
        return [dict(zip(names, row, strict=True)) for row in self._execute(sql, values).fetchall()]

    def where(self, condition: str) -> list[str]:
        """Ids of the studies for which an SQL expression over ``studies`` holds, in the order of the catalogue.

        Raises
        ------
        StudyError (E_QUERY) : DuckDB does not understand it.
        """
        sql = f"SELECT study_id FROM studies WHERE ({condition}\n) ORDER BY archive, position"
        return [row[0] for row in self._execute(sql, []).fetchall()]

    def sql(self, statement: str) -> Any:
        """The answer to any SQL over the three tables, as an Arrow table.

        Raises
        ------
        StudyError (E_QUERY) : DuckDB does not understand it, or it reaches for something else.
        MissingExtraError (E_EXTRA) : pyarrow is not installed.
        """
        arrow()
        try:
            answer = self._widened().sql(statement)
            if answer is None:
                raise _unanswered("the statement gives no rows")
            return answer.to_arrow_table()
        except self._errors as error:
            raise _unanswered(str(error)) from error

    def table(self, name: str = "studies") -> Any:
        """A whole table as an Arrow table."""
        if name not in TABLES:
            raise StudyError(f"{name!r} is no table; use one of {', '.join(TABLES)}", code="E_QUERY", where="table")
        return self.sql(f"SELECT * FROM {name} ORDER BY archive, position")

    def _widened(self) -> Any:
        """The database, whose tables have the columns of all files."""
        files, self._files = self._files, {}
        for table, found in files.items():
            self._database.read_parquet(found, union_by_name=True).create_view(table, replace=True)
        return self._database

    def _execute(self, sql: str, values: list[Any]) -> Any:
        try:
            return self._widened().execute(sql, values)
        except self._errors as error:
            raise _unanswered(str(error)) from error

    def _in_words(self, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement of ours, which no question makes wrong; it asks for columns that every file has."""
        try:
            rows: list[tuple[Any, ...]] = self._database.execute(sql, values).fetchall()
            return rows
        except self._errors as error:
            reason = f"the catalogue cannot be read ({str(error).splitlines()[0][:300]})"
            raise FormatError(reason, code="E_OPEN", where="catalogue") from error

    def close(self) -> None:
        """Let the files go."""
        self._database.close()

    def __enter__(self) -> Catalogue:
        """The catalogue itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def _unanswered(reason: str) -> StudyError:
    return StudyError(f"the catalogue cannot answer: {reason.splitlines()[0][:300]}", code="E_QUERY", where="question")


def _reason(name: str, polarity: str, side: str, place: str) -> str:
    """A concept in words, as the viewer writes it too."""
    turned = f"{side} " if side and f" {side}" not in f" {name}" else ""
    return f"{turned}{name}{f' in {place}' if place else ''}: {polarity}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _statement(question: Question, *, generated: bool) -> tuple[str, list[Any]]:
    """SQL and its values. Words are values, never part of the statement; concepts are read once, for all terms."""
    values: list[Any] = []
    given = "" if generated else f" WHERE {_GIVEN}"
    terms = [f"{_condition(term, values)} AS t{number}" for number, term in enumerate(question.terms)]
    said = f"SELECT archive, position, {', '.join(terms)} FROM concepts{given}"
    answer = f"SELECT archive, position FROM ({said}) WHERE {' OR '.join(f't{n}' for n in range(len(terms)))}"
    if all(term.without for term in question.terms):
        # A study without a report denies nothing.
        studies = f"studies ANTI JOIN ({answer}) USING (archive, position){given}"
    else:
        holds = (f"bool_or(t{n}) IS {'NOT ' * term.without}TRUE" for n, term in enumerate(question.terms))
        answer += f" GROUP BY archive, position HAVING {' AND '.join(holds)}"
        studies = f"studies SEMI JOIN ({answer}) USING (archive, position)"
    return f"SELECT study_id FROM {studies} ORDER BY archive, position", values


def _condition(term: Term, values: list[Any]) -> str:
    conditions = []
    for column, words in (("name", term.words), ("place", term.place)):
        for word in words:
            conditions.append(f"contains(' ' || {column}, ?)")
            values.append(f" {word}")
    if term.polarity != "any":
        conditions.append("polarity = ?")
        values.append(term.polarity)
    if term.side:
        conditions.append("side IN (?, 'bilateral')" if term.side != "bilateral" else "side = ?")
        values.append(term.side)
    return " AND ".join(conditions)

"""Tables about studies, and questions to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import Concept
from neuralgraph.catalogue import Catalogue, Question, Term, parse_question, write_catalogue
from neuralgraph.errors import FormatError, StudyError

pytest.importorskip("pyarrow", reason="the extra catalog is not installed")
pytest.importorskip("duckdb", reason="the extra catalog is not installed")

PRESENT, ABSENT, UNCERTAIN = (
    f"Observation::{word}" for word in ("definitely present", "definitely absent", "uncertain")
)


def study(study_id, *findings, report="given", **fields):
    """A study of findings (text, label, side, place)."""
    concepts, triples = [], []
    for text, label, side, place in findings:
        concepts.append(Concept(text, label, 10 * len(concepts), 10 * len(concepts) + 5, "findings"))
        finding = len(concepts) - 1
        target = finding
        if place:
            concepts.append(Concept(place, "Anatomy::definitely present", 10 * len(concepts), 10 * len(concepts) + 5))
            triples.append((finding, 1, len(concepts) - 1))
            target = len(concepts) - 1
        if side:
            concepts.append(Concept(side, PRESENT, 10 * len(concepts), 10 * len(concepts) + 5))
            triples.append((len(concepts) - 1, 0, target))
    made = build_study(seed=sum(study_id.encode()), study_id=study_id, concepts=0, dim=16)
    return replace(
        made,
        concepts=tuple(concepts),
        triples=triples,
        fusion=None,
        mentions=(),
        provenance={**made.provenance, "report": report},
        **fields,
    )


STUDIES = [
    study("both", ("Pleural  Effusion", PRESENT, "right", ""), ("endotracheal tube", PRESENT, "", "")),
    study("right", ("pleural effusions", PRESENT, "", "right lung base"), ("opacity", UNCERTAIN, "", "")),
    study("placed", ("effusion", PRESENT, "right", "lower lobe")),
    study("left", ("effusion", PRESENT, "left", ""), labels={"age": 60.0}),
    study("two", ("effusion", PRESENT, "bilateral", "")),
    study("none", ("effusion", ABSENT, "", "")),
    study("written", ("effusion", PRESENT, "right", ""), report="generated"),
    study("silent", report="none"),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogue")
    ng.save(STUDIES[:5], folder / "a.ngr")
    ng.save(STUDIES[5:], folder / "b.ngr")
    assert write_catalogue([folder / "a.ngr", folder / "b.ngr"], folder / "catalog.parquet") == len(STUDIES)
    return folder / "catalog.parquet"


@pytest.fixture
def catalogue(path):
    with Catalogue(path) as found:
        yield found


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("effusion", {"both", "right", "placed", "left", "two"}),
        ("effusion present right", {"both", "right", "placed", "two"}),
        ("right effusion present, no tube", {"right", "placed", "two"}),
        ("Right-sided pleural effusions", {"both", "right"}),
        ("bilateral effusion", {"two"}),
        ("effusion absent", {"none"}),
        ("no effusion", {"none"}),
        ("effusion in lower lobe", {"placed"}),
        ("opacities uncertain", {"right"}),
        ("opacity", set()),
        ("effusion any, without tube", {"right", "placed", "left", "two", "none"}),
        ("fusion", set()),
    ],
)
def test_questions_in_words(catalogue, question, answer):
    assert set(catalogue.find(question)) == answer


def test_what_a_model_wrote_counts_only_when_asked_for(catalogue):
    assert "written" not in catalogue.find("right effusion")
    assert "written" in catalogue.find("right effusion", generated=True)
    assert "silent" in catalogue.find("no effusion", generated=True)


@pytest.mark.parametrize("text", ["", " , ", "present right", "effusion left right", "no", "x present absent"])
def test_what_is_no_question_is_refused(text):
    with pytest.raises(StudyError, match="E_QUERY"):
        parse_question(text)


def test_words_are_values_never_sql(catalogue):
    assert catalogue.find("effusion') or true --") == []
    assert parse_question("no right effusion in lung base") == Question(
        (Term(("effusion",), "present", "right", ("lung", "base"), without=True),)
    )


def test_sql_reaches_the_tables_and_nothing_else(catalogue, path):
    rows = catalogue.sql("SELECT name, count(*) AS n FROM concepts WHERE polarity = 'absent' GROUP BY name").to_pylist()
    assert rows == [{"name": "effusion", "n": 1}]
    assert catalogue.sql("SELECT relation FROM triples LIMIT 1").num_rows == 1
    for reach in (
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY studies TO '/tmp/out.csv'",
        "INSTALL httpfs",
        "SELECT nothing FROM studies",
        "SET enable_external_access = true",
    ):
        with pytest.raises(StudyError, match="E_QUERY"):
            catalogue.sql(reach)


def test_where_takes_an_expression(catalogue):
    assert catalogue.where('"label.age" > 50') == ["left"]
    assert catalogue.where("report = 'generated'") == ["written"]
    with pytest.raises(StudyError, match="E_QUERY"):
        catalogue.where("nothing = 1")


def test_files_are_plain_parquet_and_the_same_every_time(path, tmp_path):
    from pyarrow import parquet

    write_catalogue([path.parent / "a.ngr", path.parent / "b.ngr"], tmp_path / "catalog.parquet")
    for name in ("catalog.parquet", "catalog.concepts.parquet", "catalog.triples.parquet"):
        assert (tmp_path / name).read_bytes() == (path.parent / name).read_bytes()
    schema = parquet.read_schema(path)
    assert not schema.metadata
    assert str(schema.field("report").type) == "string"
    table = parquet.read_table(path)
    assert table["study_id"].to_pylist() == [each.study_id for each in STUDIES]
    assert table["label.age"].to_pylist().count(None) == len(STUDIES) - 1


def test_an_archive_gives_its_table(path):
    with ng.open([path.parent / "a.ngr", path.parent / "b.ngr"]) as archive:
        table = archive.table()
        assert table["study_id"].to_pylist() == list(archive.ids)
        assert archive.table("concepts").num_rows == sum(len(each.concepts) for each in STUDIES)
        with pytest.raises(StudyError, match="E_IDX"):
            archive.table("patients")


def test_a_catalogue_that_is_not_there_or_none_at_all(tmp_path):
    with pytest.raises(FormatError, match="ngr catalog"):
        Catalogue(tmp_path / "catalog.parquet")
    for name in ("catalog.parquet", "catalog.concepts.parquet", "catalog.triples.parquet"):
        (tmp_path / name).write_bytes(b"no parquet")
    with pytest.raises(FormatError, match="E_OPEN"):
        Catalogue(tmp_path / "catalog.parquet")


@pytest.fixture
def collection(path, tmp_path):
    from neuralgraph.collection import Collection, add

    made = Collection.create(tmp_path / "collection", archive_studies=3)
    add(made, [path.parent / "a.ngr", path.parent / "b.ngr"])
    return made


def test_a_collection_is_asked_by_its_folder(collection, catalogue):
    with Catalogue(collection.room.where) as found:
        for question in ("effusion", "right effusion, no tube", "no effusion", "no tube, no effusion"):
            assert set(found.find(question)) == set(catalogue.find(question))
        # The label is a column of one archive, and not of the first.
        assert found.where('"label.age" > 50') == ["left"]
        assert set(found.find("effusion")) == set(catalogue.find("effusion"))


def test_a_damaged_table_is_no_fault_of_the_question(collection):
    *_, last = collection.head().archives
    file = Path(collection.room.place(last.table_path("concepts")))
    file.write_bytes(file.read_bytes()[:-8])
    with Catalogue(collection.room.where) as found, pytest.raises(FormatError, match="E_OPEN"):
        found.find("effusion")


def test_several_terms_that_must_hold(catalogue):
    assert catalogue.find("effusion, tube") == ["both"]
    assert set(catalogue.find("effusion any, opacity any")) == {"right"}
    assert set(catalogue.find("no tube, no opacity uncertain")) == {"placed", "left", "two", "none"}


def test_a_data_set_takes_the_studies_that_answer(path, collection):
    pytest.importorskip("torch_geometric", reason="the extra pyg is not installed")
    from neuralgraph.adapters.pyg import StudyDataset

    wanted = ["right", "placed", "two"]
    for place in (path.parent, collection.room.where):
        data = StudyDataset(place, where="right effusion, no tube", labels=["pneumonia"])
        assert [graph.study_id for graph in data] == wanted
    data = StudyDataset(path.parent, where="effusion", split=["two", "none", "right"], labels=[])
    assert [graph.study_id for graph in data] == ["two", "right"]

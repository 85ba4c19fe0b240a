"""Synthetic studies of ``bench.living``, small on purpose, and the archives and collections of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["extend", "spool", "spool_again", "study_id_of"]

FINDINGS = (
    "pleural effusion", "pneumothorax", "opacity", "consolidation", "cardiomegaly", "atelectasis", "edema",
    "endotracheal tube", "nodule", "fracture",
)  # fmt: skip


def spool(path: Path, first: int, count: int) -> None:
    """An archive of ``count`` studies, from the number ``first`` on."""
    from neuralgraph import Concept, Patches, Study, View
    from neuralgraph.codecs.registry import exact_form
    from neuralgraph.container.encode import encode_record
    from neuralgraph.container.writer import ContainerWriter

    chance = np.random.default_rng(first)
    codes = chance.integers(0, 255, (8, 8)).astype(np.uint8)
    view = View(
        height=512, width=512, patch_height=64, patch_width=64, score_code=codes, score_step=0.01, position="PA"
    )
    scores = view.scores.ravel() if hasattr(view, "scores") else (codes.astype(np.float32) ** 2 * 0.01).ravel()
    order = np.argsort(-scores, kind="stable")[:4]
    row, col = np.divmod(order, 8)
    says = ("definitely present", "definitely absent", "uncertain")
    with open(path, "wb") as stream:
        writer = ContainerWriter(stream)
        for number in range(first, first + count):
            values = (chance.normal(size=(4, 32)).astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
            names = chance.choice(len(FINDINGS), 3, replace=False)
            concepts, triples = [], []
            for name in names:
                side = ("right", "left")[int(chance.integers(2))]
                at = 20 * len(concepts)
                concepts.append(Concept(side, "Anatomy::definitely present", at, at + 5, "findings"))
                label = f"Observation::{says[int(chance.integers(3))]}"
                concepts.append(Concept(FINDINGS[name], label, at + 6, at + 19, "findings"))
                triples.append((len(concepts) - 2, 0, len(concepts) - 1))
            study = Study(
                study_id=study_id_of(number),
                views=(view,),
                patches=Patches(row, col, scores[order], values),
                concepts=tuple(concepts),
                triples=np.array(triples, np.int32),
                fusion=None,
                labels={"pneumonia": float(number % 2)},
                provenance={"report": "given" if number % 20 else "generated", "model": {"name": "synthetic"}},
            )
            columns = study.columns()
            record = encode_record(
                columns, embedding=exact_form(columns.embedding), concept_vectors=exact_form(columns.concept_vectors)
            )
            writer.add(record, study_id=study.study_id, method=columns.method)
        writer.finish()


def spool_again(path: Path, source: Path, first: int) -> None:
    """The studies of another archive under other ids, from the number ``first`` on: faster than new ones."""
    from dataclasses import replace

    from neuralgraph.access.files import FileSource
    from neuralgraph.codecs.registry import exact_form
    from neuralgraph.container.encode import encode_record
    from neuralgraph.container.reader import Container
    from neuralgraph.container.writer import ContainerWriter
    from neuralgraph.storage.gate import Level, prove

    with FileSource(source) as stream, open(path, "wb") as target:
        container, writer = Container(stream), ContainerWriter(target)
        for position in range(len(container)):
            study_id = study_id_of(first + position)
            columns = prove(container, position, level=Level.DIGEST)
            text = columns.graph["text"].copy()
            text[: len(study_id)] = np.frombuffer(study_id.encode(), np.uint8)  # ids are all of one length
            columns = replace(columns, graph={**columns.graph, "text": text})
            record = encode_record(
                columns, embedding=exact_form(columns.embedding), concept_vectors=exact_form(columns.concept_vectors)
            )
            writer.add(record, study_id=study_id, method=columns.method)
        writer.finish()


def extend(place: str, files: list[str], sources: int) -> None:
    """Commit archives of studies under other ids to a collection without adding them study by study.

    Their tables are those of the archives that are there, with the ids and digests of the new ones: the collection is
    one that ``verify`` finds valid, made in a tenth of the time.

    Parameters
    ----------
    place : a collection that holds the first ``sources`` of the archives, each as one archive of its own.
    files : the archives to commit; number ``n`` holds the studies of number ``n % sources`` of those, in their order.
    """
    import pyarrow as pa
    from pyarrow import parquet

    from neuralgraph.access.files import FileSource
    from neuralgraph.catalogue.tables import write_parquet
    from neuralgraph.collection.collection import Change, Collection
    from neuralgraph.container.reader import Container
    from neuralgraph.storage.manifest import Member

    collection = Collection(place)
    first = collection.head().archives[:sources]
    change = Change("add")
    for number, path in enumerate(files):
        source, name = first[number % sources], collection.new_name()
        target = Member(name, source.studies, 0, "")
        with collection.room.writing(target.path) as stream:
            stream.write(Path(path).read_bytes())
        with FileSource(Path(place, target.path)) as opened:
            container = Container(opened)
            ids = container.keys.study_ids(0, len(container))
            digests = [bytes(container.record(n).content_digest).hex() for n in range(len(container))]
            root, size = container.root.hex(), opened.size
        tables = 0
        for table in ("studies", "concepts", "triples"):
            found = parquet.read_table(Path(place, source.table_path(table)))
            columns = {"archive": pa.repeat(pa.scalar(name), len(found))}
            if table == "studies":
                columns |= {"study_id": pa.array(ids), "digest": pa.array(digests)}
            else:
                columns["study_id"] = pa.array(ids).take(found["position"])
            for column, values in columns.items():
                if column in found.column_names:
                    found = found.set_column(found.schema.get_field_index(column), column, values)
            with collection.room.writing(target.table_path(table)) as stream:
                write_parquet(found, stream)
            tables += collection.room.size(target.table_path(table))
        change.added.append(Member(name, len(ids), size, root, 0, tables))
        change.studies_added += len(ids)
    collection.commit(lambda _: change)


def study_id_of(number: int) -> str:
    """The id of a synthetic study."""
    return np.random.default_rng([7, number]).bytes(16).hex()

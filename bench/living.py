"""A collection of many synthetic studies: what each verb takes, in time, memory and bytes; and the server under load.

    python -m bench living --studies 1000000 --folder /somewhere/large
    python -m bench living --usual 3000 --folder /somewhere/large
    python -m bench living --million --folder /somewhere/large
    python -m bench living --serve --seconds 600 --clients 64 --folder /somewhere/large

Studies are small on purpose (4 patches of 32 values, six concepts): the verbs are measured, not the disk. Every verb
runs in a process of its own, whose largest memory is the one of ``getrusage``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).with_name("results")
FINDINGS = (
    "pleural effusion", "pneumothorax", "opacity", "consolidation", "cardiomegaly", "atelectasis", "edema",
    "endotracheal tube", "nodule", "fracture",
)  # fmt: skip
_FOLDER = re.compile(r"(?:/[^/\s:]+)+/")
"""Where it ran is nobody's business."""
QUESTION = "right effusion present, no tube"


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

    from neuralgraph.codecs.registry import exact_form
    from neuralgraph.container.encode import encode_record
    from neuralgraph.container.reader import Container
    from neuralgraph.container.writer import ContainerWriter
    from neuralgraph.storage.files import FileSource
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

    from neuralgraph.catalogue.tables import write_parquet
    from neuralgraph.collection.collection import Change, Collection
    from neuralgraph.container.reader import Container
    from neuralgraph.storage.files import FileSource
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


def measured(*command: str) -> dict[str, float]:
    """Seconds and MiB of a command."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "mib": round(usage.ru_maxrss / 1024),
        "said": _FOLDER.sub("", said.strip().splitlines()[-1][:200]) if said.strip() else "",
    }


OPENED = """
import sys, time, neuralgraph as ng
began = time.perf_counter()
with ng.open(sys.argv[1]) as archive:
    opened = time.perf_counter() - began
    first = archive.ids[len(archive) // 2]
    began = time.perf_counter(); archive[first]; one = time.perf_counter() - began
    print(f"{len(archive)} studies, opened in {opened:.3f} s, one by id in {one:.3f} s")
"""
ITERATED = """
import sys, neuralgraph as ng
with ng.open(sys.argv[1]) as archive:
    print(sum(len(study.patches) for study in archive))
"""


def measure(folder: Path, studies: int) -> None:
    """Every verb, once."""
    part, place = 10_000, str(folder / "collection")
    ngr = ("-m", "neuralgraph")
    files = []
    for first in range(0, studies + part, part):
        path = folder / f"spool-{first:08d}.ngr"
        if not path.exists():
            spool(path, first, part)
        files.append(str(path))
    found: dict[str, object] = {"studies": studies, "load_average_before": os.getloadavg()[0]}
    if not Path(place, "collection.json").exists():
        measured(*ngr, "collection", "create", place)
        found["add_all"] = measured(*ngr, "collection", "add", place, *files[:-1])
    found["archive_bytes"] = sum(path.stat().st_size for path in Path(place, "archives").iterdir())
    found["catalogue_bytes"] = sum(path.stat().st_size for path in Path(place, "catalogue").iterdir())
    found["add_10000"] = measured(*ngr, "collection", "add", place, files[-1])
    found["add_10000_again"] = measured(*ngr, "collection", "add", place, files[-1])
    gone = study_id_of(studies // 2)
    found["remove_1"] = measured(*ngr, "collection", "remove", place, "--id", gone)
    found["open"] = measured("-c", OPENED, place)
    found["find"] = measured(*ngr, "find", place, QUESTION, "--json", "-o", str(folder / "ids.txt"), "--force")
    found["find_in_process_seconds"] = _asked(place)
    found["info"] = measured(*ngr, "info", place, "--json")
    found["compact"] = measured(*ngr, "collection", "compact", place)
    found["vacuum"] = measured(*ngr, "collection", "vacuum", place, "--older-than", "0s")
    found["manifest_bytes"] = sum(path.stat().st_size for path in Path(place, "manifests").iterdir())
    found["iterate"] = measured("-c", ITERATED, place)
    found["verify"] = measured(*ngr, "collection", "verify", place)
    found["load_average_after"] = os.getloadavg()[0]
    _write(found)


def _asked(place: str) -> list[float]:
    from neuralgraph.collection import Collection, catalogue_of

    times = []
    with catalogue_of(Collection(place)) as catalogue:
        for _ in range(3):
            began = time.perf_counter()
            catalogue.find(QUESTION)
            times.append(round(time.perf_counter() - began, 3))
    return times


def usual(folder: Path, studies: int) -> None:
    """What the catalogue of studies of usual size is of their archive."""
    import neuralgraph as ng
    from bench.loaders.data import studies as made
    from neuralgraph.catalogue.tables import catalogue_paths

    path, table = folder / "usual.ngr", folder / "usual.parquet"
    ng.save(made(studies, 11), path)
    measured("-m", "neuralgraph", "catalog", str(path), "-o", str(table), "--force")
    tables = sum(Path(each).stat().st_size for each in catalogue_paths(table).values())
    _write({"usual": {"studies": studies, "archive_bytes": path.stat().st_size, "catalogue_bytes": tables}})


def million(folder: Path) -> None:
    """The catalogue of a million studies, made of the tables of this collection over and over, and asked."""
    import pyarrow as pa
    from pyarrow import parquet

    from neuralgraph.catalogue import Catalogue
    from neuralgraph.catalogue.tables import write_parquet

    full = sorted((folder / "collection" / "catalogue").glob("*.studies.parquet"))
    full = [path for path in full if parquet.read_metadata(path).num_rows >= 8000][:3]
    target = folder / "million"
    target.mkdir(exist_ok=True)
    files: dict[str, list[str]] = {"studies": [], "concepts": [], "triples": []}
    count = 0
    while count < 1_000_000:
        number = len(files["studies"])
        source = full[number % len(full)]
        for table, names in files.items():
            path = target / f"{number:04d}.{table}.parquet"
            found = parquet.read_table(source.with_name(source.name.replace(".studies.", f".{table}.")))
            changes = {"archive": pa.repeat(pa.scalar(f"{number:032x}"), len(found))}
            if table == "studies":
                count += len(found)
                changes["study_id"] = pa.array([f"{number:04d}{each[4:]}" for each in found["study_id"].to_pylist()])
            for name, column in changes.items():
                found = found.set_column(found.schema.get_field_index(name), name, column)
            with open(path, "wb") as stream:
                write_parquet(found, stream)
            names.append(str(path))
    answers = []
    began = time.perf_counter()
    with Catalogue(files) as catalogue:
        opened = time.perf_counter() - began
        for _ in range(5):
            began, worked = time.perf_counter(), time.process_time()
            ids = catalogue.find(QUESTION)
            answers.append(
                {
                    "seconds": round(time.perf_counter() - began, 2),
                    "processor_seconds": round(time.process_time() - worked, 2),
                    "studies": len(ids),
                }
            )
    _write(
        {
            "million": {
                "studies": count,
                "bytes": sum(Path(name).stat().st_size for names in files.values() for name in names),
                "opened_seconds": round(opened, 2),
                "question": QUESTION,
                "answers": answers,
                "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "load_average": os.getloadavg()[0],
            }
        }
    )


async def _client(
    base: str, ids: list[str], until: float, seed: int, times: dict[str, list[float]], errors: list[str]
) -> None:
    import httpx

    chance = random.Random(seed)
    async with httpx.AsyncClient(base_url=base, timeout=60.0) as client:
        while time.perf_counter() < until:
            study = chance.choice(ids)
            kind, path = chance.choice(
                [
                    ("study .ngr", f"/studies/{study}.ngr"),
                    ("study .ngr", f"/studies/{study}.ngr"),
                    ("study .json", f"/studies/{study}.json"),
                    ("list", f"/studies?limit=50&offset={chance.randrange(1000)}"),
                    ("find", "/find?question=right+pneumothorax,+no+tube,+no+fracture"),
                    ("health", "/health"),
                ]
            )
            began = time.perf_counter()
            try:
                answer = await client.get(path)
                if answer.status_code != 200:
                    errors.append(f"{kind} {answer.status_code}")
            except httpx.HTTPError as error:
                errors.append(f"{kind} {type(error).__name__}")
            times.setdefault(kind, []).append(time.perf_counter() - began)


def load(folder: Path, seconds: float, clients: int) -> None:
    """The server on the loopback interface, asked by many at once."""
    from neuralgraph.collection import Collection

    place = str(folder / "collection")
    ids = next(ids for _, _, ids in Collection(place).ids())
    server = subprocess.Popen(
        [sys.executable, "-m", "neuralgraph", "serve", place, "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        base = server.stdout.readline().strip()
        times: dict[str, list[float]] = {}
        errors: list[str] = []
        until = time.perf_counter() + seconds

        async def everybody() -> None:
            await asyncio.gather(*(_client(base, ids, until, seed, times, errors) for seed in range(clients)))

        asyncio.run(everybody())
        status = Path(f"/proc/{server.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    finally:
        server.terminate()
        server.wait()
    every = np.concatenate([np.array(each) for each in times.values()])
    _write(
        {
            "serve": {
                "studies": Collection(place).head().studies,
                "clients": clients,
                "seconds": seconds,
                "answers": len(every),
                "errors": len(errors),
                "first_errors": errors[:5],
                "server_mib": peak // 1024,
                "seconds_p50": round(float(np.quantile(every, 0.5)), 4),
                "seconds_p99": round(float(np.quantile(every, 0.99)), 4),
                "by_kind_p99": {kind: round(float(np.quantile(each, 0.99)), 4) for kind, each in sorted(times.items())},
                "load_average_after": os.getloadavg()[0],
            }
        }
    )


def _write(found: dict[str, object]) -> None:
    path = RESULTS / "living.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**earlier, **found}, indent=1, sort_keys=True) + "\n")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--usual", type=int, help="so many studies of the default profile, for the catalogue's share")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.usual:
        usual(options.folder, options.usual)
    elif options.million:
        million(options.folder)
    elif options.serve:
        load(options.folder, options.seconds, options.clients)
    else:
        measure(options.folder, options.studies)


if __name__ == "__main__":
    main()

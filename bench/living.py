"""A collection of many synthetic studies: what each verb takes, in time, memory and bytes; and the server under load.

    python -m bench living --studies 1000000 --added 100000 --folder /somewhere/large
    python -m bench living --usual 3000 --folder /somewhere/large
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

from bench.living_studies import extend, spool, spool_again, study_id_of

RESULTS = Path(__file__).with_name("results")
_FOLDER = re.compile(r"(?:/[^/\s:]+)+/")
"""Where it ran is nobody's business."""
NGR = ("-m", "neuralgraph")
PART = 10_000
"""Studies of an archive."""
QUESTION = "right effusion present, no tube"


def measured(*command: str) -> dict[str, float]:
    """Seconds by the clock and of the processor, and MiB, of a command."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "load_average": round(os.getloadavg()[0], 1),
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


def prepare(folder: Path, studies: int, added: int) -> None:
    """A collection of so many studies: some are added, the others are theirs under other ids (``extend``)."""
    place, files = str(folder / "collection"), spools(folder, studies)
    several = added // PART
    for number, path in enumerate(files):
        if path.exists():
            continue
        if number < several:
            spool(path, number * PART, PART)
        else:
            spool_again(path, files[number % several], number * PART)
    if not Path(place, "collection.json").exists():
        measured(*NGR, "collection", "create", place, "--archive-studies", str(PART))
        _write({"add": measured(*NGR, "collection", "add", place, *map(str, files[:several]))})
        extend(place, [str(path) for path in files[several:-1]], several)


def spools(folder: Path, studies: int) -> list[Path]:
    """What is added; the last one is no part of the collection that ``prepare`` makes."""
    return [folder / f"spool-{first:08d}.ngr" for first in range(0, studies + PART, PART)]


def measure(folder: Path, studies: int, added: int) -> None:
    """Every verb, once."""
    # In a process of its own: what this one has in memory counts for all that it starts.
    begin = [
        "-m",
        "bench.living",
        "--prepare",
        "--folder",
        str(folder),
        "--studies",
        str(studies),
        "--added",
        str(added),
    ]
    subprocess.run([sys.executable, *begin], check=True)
    place, last = str(folder / "collection"), str(spools(folder, studies)[-1])
    found: dict[str, object] = {"studies": studies, "added": added}
    for name in ("archives", "catalogue"):
        found[f"{name}_bytes"] = sum(path.stat().st_size for path in Path(place, name).iterdir())
    gone = study_id_of(studies // 2)
    verbs: dict[str, tuple[str, ...]] = {
        "find": (*NGR, "find", place, QUESTION, "--json", "-o", str(folder / "ids.txt"), "--force"),
        "info": (*NGR, "info", place, "--json"),
        "open": ("-c", OPENED, place),
        "add_10000": (*NGR, "collection", "add", place, last),
        "add_10000_again": (*NGR, "collection", "add", place, last),
        "remove_1": (*NGR, "collection", "remove", place, "--id", gone),
        "compact": (*NGR, "collection", "compact", place),
        "vacuum": (*NGR, "collection", "vacuum", place, "--older-than", "0s"),
        "verify_header": (*NGR, "collection", "verify", place, "--level", "header"),
        "iterate": ("-c", ITERATED, place),
        "verify": (*NGR, "collection", "verify", place),
    }
    for name, command in verbs.items():
        found[name] = measured(*command)
        if name == "find":
            found["find_in_process_seconds"] = _asked(place)
        _write(found)
    _write({"manifest_bytes": max(path.stat().st_size for path in Path(place, "manifests").iterdir())})


ASKED = """
import json, sys, time
from neuralgraph.collection import Collection, catalogue_of
times = []
with catalogue_of(Collection(sys.argv[1])) as catalogue:
    for _ in range(3):
        began = time.perf_counter()
        catalogue.find(sys.argv[2])
        times.append(round(time.perf_counter() - began, 3))
print(json.dumps(times))
"""


def _asked(place: str) -> list[float]:
    return json.loads(str(measured("-c", ASKED, place, QUESTION)["said"]))


def usual(folder: Path, studies: int) -> None:
    """What the catalogue of studies of usual size is of their archive."""
    import neuralgraph as ng
    from bench.loaders.data import studies as made
    from neuralgraph.catalogue.paths import catalogue_paths

    path, table = folder / "usual.ngr", folder / "usual.parquet"
    ng.save(made(studies, 11), path)
    measured("-m", "neuralgraph", "catalog", str(path), "-o", str(table), "--force")
    tables = sum(Path(each).stat().st_size for each in catalogue_paths(table).values())
    _write({"usual": {"studies": studies, "archive_bytes": path.stat().st_size, "catalogue_bytes": tables}})


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
    parser.add_argument("--added", type=int, default=100_000, help="of these; the others are theirs under other ids")
    parser.add_argument("--prepare", action="store_true", help="make the collection, measure no verb")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--usual", type=int, help="so many studies of the default profile, for the catalogue's share")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.usual:
        usual(options.folder, options.usual)
    elif options.prepare:
        prepare(options.folder, options.studies, options.added)
    elif options.serve:
        load(options.folder, options.seconds, options.clients)
    else:
        measure(options.folder, options.studies, options.added)


if __name__ == "__main__":
    main()

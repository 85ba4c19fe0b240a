"""``ngr conformance``: does another reader agree with the conformance vectors?"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, NamedTuple

import typer

import neuralgraph
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["Disagreement", "Vector", "conformance", "difference", "read_vectors", "verdict"]

_PARTS_NOT_COMPARED = ("where", "message")


class Vector(NamedTuple):
    """One file of the corpus and what a reader must say about it."""

    path: Path
    name: str
    """Place in the corpus, as the index has it."""
    expected: dict[str, Any]
    """The decoded form; of a refused file only ``ok`` and ``code``."""


class Disagreement(NamedTuple):
    """One vector on which the reader differs."""

    vector: str
    expected: str
    got: str


def conformance(
    command: Annotated[list[str], typer.Argument(help="The reader: a command that gets a path as its last argument.")],
    vectors: Annotated[Path | None, typer.Option(help="The folder with the vectors; default: spec/vectors.")] = None,
    batch: Annotated[bool, typer.Option("--batch", help="Start the reader once, with a list of paths.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Readers to run at once.")] = os.cpu_count() or 1,
    timeout: Annotated[float, typer.Option(help="Seconds a reader may take.")] = 60.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a reader over all conformance vectors and compare what it prints with what they mean.

    The reader prints the decoded form of spec/decoded-form.md as one JSON value. With --batch it is started once, gets
    the path of a text file with a path on every line, and prints a line of JSON for each of them. Exit code 0 when it
    agrees on every vector, 1 when it does not.

    Example: ngr conformance -- node spec/reader-js/cli.mjs
    """
    corpus = read_vectors(vectors or _default_folder())
    disagreements = list(_disagreements(corpus, command, batch=batch, jobs=jobs, timeout=timeout))
    if json:
        summary = {"vectors": len(corpus), "agreed": len(corpus) - len(disagreements)}
        write_json({**summary, "disagreements": [each._asdict() for each in disagreements]})
    else:
        for each in disagreements:
            write_line(f"{each.vector}: expected {each.expected}, got {each.got}")
        write_line(f"{len(corpus) - len(disagreements)} of {len(corpus)} vectors agree")
    if disagreements:
        note(f"the reader disagrees on {len(disagreements)} vectors")
        raise typer.Exit(1)


def _default_folder() -> Path:
    folder = Path(neuralgraph.__file__).parents[1] / "spec" / "vectors"
    if not (folder / "index.json").is_file():
        reason = "the vectors are not installed with the package; give --vectors, the folder spec/vectors of the source"
        raise FormatError(reason, code="E_OPEN", where="--vectors")
    return folder


def read_vectors(folder: Path) -> list[Vector]:
    """The corpus of a folder, every file compared with the digest that the index has for it.

    Raises
    ------
    FormatError (E_OPEN) : there is no index, or it names no vector.
    ChecksumError (E_DIGEST) : a file is not the one that the index describes.
    """
    try:
        rows = parsed_json((folder / "index.json").read_bytes())["vectors"]
        corpus = [_vector(folder, row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"the folder holds no readable corpus ({type(error).__name__})"
        raise FormatError(reason, code="E_OPEN", where=str(folder)) from error
    if not corpus:
        raise FormatError("the index names no vector", code="E_OPEN", where=str(folder))
    return corpus


def _vector(folder: Path, row: dict[str, str]) -> Vector:
    _content(folder, row["path"], row["sha256"])
    if "code" in row:
        return Vector(folder / row["path"], row["path"], {"ok": False, "code": row["code"]})
    return Vector(
        folder / row["path"], row["path"], parsed_json(_content(folder, row["expected"], row["expected_sha256"]))
    )


def _content(folder: Path, name: str, digest: str) -> bytes:
    data = (folder / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ChecksumError("the file is not the one that the index describes", code="E_DIGEST", where=name)
    return data


def _disagreements(
    corpus: Sequence[Vector], command: Sequence[str], *, batch: bool, jobs: int, timeout: float
) -> Iterator[Disagreement]:
    if batch:
        printed = _run_on_list(command, [vector.path for vector in corpus], timeout=timeout)
        lines = printed.splitlines() if isinstance(printed, bytes) else [printed] * len(corpus)
        answers: list[bytes | str] = [*lines, *["nothing"] * (len(corpus) - len(lines))]
    else:
        with ThreadPoolExecutor(jobs) as pool:
            answers = list(pool.map(lambda vector: _run(command, vector.path, timeout=timeout), corpus))
    for vector, answer in zip(corpus, answers, strict=False):
        got = verdict(vector.expected, answer)
        if got is not None:
            yield Disagreement(vector.name, _short(vector.expected), got)


def _run_on_list(command: Sequence[str], paths: Sequence[Path], *, timeout: float) -> bytes | str:
    with NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.writelines(f"{path}\n" for path in paths)
        file.flush()
        return _run(command, Path(file.name), timeout=timeout)


def _run(command: Sequence[str], path: Path, *, timeout: float) -> bytes | str:
    """What the reader printed, or in words why there is nothing."""
    try:
        finished = subprocess.run([*command, str(path)], capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer in {timeout:g} s"
    except OSError as error:
        raise FormatError(
            f"the reader cannot be started ({error.strerror})", code="E_OPEN", where=command[0]
        ) from error
    return finished.stdout


def verdict(expected: dict[str, Any], answer: bytes | str) -> str | None:
    """None when a reader's answer is what is expected; otherwise, in words, what it is instead."""
    if isinstance(answer, str):
        return answer
    try:
        got = parsed_json(answer)
    except ValueError:
        return "no JSON: " + answer[:80].decode(errors="replace").replace("\n", " ")
    if not isinstance(got, dict):
        return "JSON that is not an object"
    if got.get("ok") is True and expected["ok"]:
        place = difference(expected, got)
        return None if place is None else f"another value at {place}"
    compared = {key: value for key, value in got.items() if key not in _PARTS_NOT_COMPARED}
    return None if difference(expected, compared) is None else _short(got)


def _short(form: dict[str, Any]) -> str:
    return "accepted" if form.get("ok") is True else f"refused with {form.get('code')}"


def difference(expected: Any, got: Any, *, at: str = "") -> str | None:
    """The first place where two JSON values differ, or None; 1, 1.0 and true are three different values."""
    if type(expected) is not type(got):
        return at or "the top"
    if isinstance(expected, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            if key not in expected or key not in got:
                return f"{at}.{key}"
            place = difference(expected[key], got[key], at=f"{at}.{key}")
            if place is not None:
                return place
        return None
    if isinstance(expected, list):
        for number, (one, other) in enumerate(zip(expected, got, strict=False)):
            place = difference(one, other, at=f"{at}[{number}]")
            if place is not None:
                return place
        return None if len(expected) == len(got) else f"{at}[{min(len(expected), len(got))}]"
    return None if expected == got else at

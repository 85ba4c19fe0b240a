"""The house in numbers, at two revisions: lines, functions, names, knots.

    python -m bench house --before REVISION [--suite-seconds BEFORE AFTER]

Counted are the files that git knows, lines as ``wc`` counts them. A function's lines are without its docstring; a knot
is a set of modules that import each other in a circle, imports inside functions and for types among them. The seconds
of the test suite are told, not measured here: it runs for ten minutes.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import networkx
import numpy as np

RESULTS = Path(__file__).with_name("results")
ROOT = Path(__file__).resolve().parents[1]
_CODE = (".py", ".pyi", ".js", ".mjs", ".c", ".h")
_LONG, _MANY = 60, 8


def measured(revision: str) -> dict[str, Any]:
    """What is counted of a revision."""
    texts = dict(_files(revision))
    lines: Counter[str] = Counter()
    for path, text in texts.items():
        lines[_room(path)] += text.count("\n")
    modules = {path: ast.parse(text) for path, text in texts.items() if path.suffix == ".py" and text}
    package = {path: tree for path, tree in modules.items() if path.parts[0] == "neuralgraph"}
    functions = sorted(each for path, tree in package.items() for each in _functions(path, tree))
    lengths = [length for length, _, _ in functions]
    return {
        "lines": dict(sorted(lines.items())),
        "kernel_lines": sum(
            text.count("\n")
            for path, text in texts.items()
            if path.suffix in (".c", ".h") and path.parts[0] == "neuralgraph"
        ),
        "files": len(package),
        "longest_file": max(text.count("\n") for path, text in texts.items() if path in package),
        "functions": {
            "count": len(functions),
            "median": float(np.median(lengths)),
            "95th": float(np.quantile(lengths, 0.95)),
            "longest": functions[-1][0],
            "longest_name": functions[-1][2],
            "over_60_lines": sum(length > _LONG for length in lengths),
            "over_8_parameters": sum(many > _MANY for _, many, _ in functions),
            "over_8_parameters_beside_verbs": sum(
                many > _MANY for _, many, name in functions if not name.startswith("neuralgraph/cli/")
            ),
        },
        "names": _names(package),
        "knots": _knots(package),
    }


def _files(revision: str) -> Iterator[tuple[PurePosixPath, str]]:
    made = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            content = archive.extractfile(member) if path.suffix in _CODE or member.name == "FORMAT.md" else None
            if content is not None:
                yield path, content.read().decode("utf-8")


def _room(path: PurePosixPath) -> str:
    """The room of a file: the folder in the package, the first folders beside it; the vectors wherever they lay."""
    parts = path.parts
    if parts[0] == "neuralgraph":
        return parts[1] if len(parts) > 2 else "neuralgraph"
    if len(parts) == 1:
        return "FORMAT.md" if path.name == "FORMAT.md" else "top"
    if "vectors" in parts[:3]:
        return "vectors"
    return "/".join(parts[:2]) if parts[0] in ("spec", "docs") else parts[0]


def _functions(path: PurePosixPath, tree: ast.Module) -> Iterator[tuple[int, int, str]]:
    """Lines without the docstring, parameters, where."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node, clean=False) is not None:
                said = node.body[0]
                length -= (said.end_lineno or said.lineno) - said.lineno + 1
            taken = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            named = [each for each in taken if each.arg not in ("self", "cls")]
            yield length, len(named), f"{path}: {node.name}"


def _names(package: dict[PurePosixPath, ast.Module]) -> dict[str, int]:
    """How many names of modules, and of classes, occur more than once."""
    modules = Counter(path.stem for path in package if path.stem != "__init__")
    classes = Counter(
        node.name for tree in package.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    )
    return {
        "modules": sum(count > 1 for count in modules.values()),
        "classes": sum(count > 1 for count in classes.values()),
    }


def _knots(package: dict[PurePosixPath, ast.Module]) -> list[list[str]]:
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in package}
    graph = networkx.DiGraph()
    for name, path in names.items():
        for node in ast.walk(package[path]):
            targets: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [f"{node.module}.{each.name}" for each in node.names]
                targets = [each if each in names else node.module for each in modules]
            elif isinstance(node, ast.Import):
                targets = [each.name for each in node.names]
            graph.add_edges_from((name, target) for target in targets if target in names and target != name)
    circles = networkx.strongly_connected_components(graph)
    return sorted(sorted(each) for each in circles if len(each) > 1)


def main(arguments: Sequence[str]) -> int:
    """Count both revisions, write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True, metavar="REVISION")
    parser.add_argument("--after", default="HEAD", metavar="REVISION")
    parser.add_argument("--suite-seconds", type=float, nargs=2, metavar=("BEFORE", "AFTER"))
    options = parser.parse_args(arguments)
    path = RESULTS / "house.json"
    found = {"before": measured(options.before), "after": measured(options.after)}
    if options.suite_seconds:
        found["suite_seconds"] = options.suite_seconds
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(found["after"]["functions"], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

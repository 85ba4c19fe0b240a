"""What verbs print as JSON, held against the schemas of spec/outputs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource

__all__ = ["FOLDER", "printed", "schemas"]

FOLDER = Path(__file__).parents[1] / "spec" / "outputs"
_ENDING = ".schema.json"


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """The schemas, by verb: "info", "collection-add"."""
    return {path.name.removesuffix(_ENDING): json.loads(path.read_bytes()) for path in sorted(FOLDER.iterdir())}


@cache
def _validator(verb: str) -> Draft202012Validator:
    resources = [(f"{name}{_ENDING}", Resource.from_contents(schema)) for name, schema in schemas().items()]
    return Draft202012Validator({"$ref": f"{verb}{_ENDING}"}, registry=Registry().with_resources(resources))


def printed(verb: str, text: str) -> Any:
    """The value that a verb printed, after its schema has accepted it."""
    value = json.loads(text)
    wrong = best_match(_validator(verb).iter_errors(value))
    assert wrong is None, f"{verb}: {wrong.json_path}: {wrong.message}"
    return value

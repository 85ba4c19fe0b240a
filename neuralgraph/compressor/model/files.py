"""The directory a model lives in: safetensors and JSON, nothing that can carry code."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from neuralgraph.errors import ModelError
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["MEAN_ATTENTION_NAME", "MODEL_FILES", "model_digest", "model_directory", "model_name"]

MODEL_FILES: tuple[str, ...] = ("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json")
"""The files of a complete model, all needed."""
MEAN_ATTENTION_NAME = "mean_attention.safetensors"
"""May be there too; nothing else is ever read."""

_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


def model_directory(
    source: str | Path,
    *,
    needed: tuple[str, ...] = MODEL_FILES,
    revision: str | None = None,
    local_files_only: bool = False,
) -> Path:
    """The local directory that holds a model.

    Parameters
    ----------
    source : a directory, or ``owner/name`` on the Hugging Face hub. What exists as a directory is one.
    needed : files that must be there.
    revision : branch, tag or commit on the hub.
    local_files_only : use the hub's local cache only; so does the environment variable HF_HUB_OFFLINE=1.

    Raises
    ------
    ModelError (E_MODEL) : naming the missing files, or saying why the hub did not answer.
    """
    directory = Path(source)
    if not directory.is_dir():
        if isinstance(source, Path) or not _HUB_ID.fullmatch(source):
            raise ModelError(
                f"{source} is neither a model directory nor an owner/name on the hub", code="E_MODEL", where="model"
            )
        directory = _from_hub(source, needed, revision=revision, local_files_only=local_files_only)
    missing = [name for name in needed if not (directory / name).is_file()]
    if missing:
        hint = ""
        if "model.safetensors" in missing and any(directory.glob("*.bin")):
            hint = "; weights in pickle form (.bin) are never read, save them as safetensors"
        raise ModelError(f"the model lacks {', '.join(missing)}{hint}", code="E_MODEL", where=str(source))
    return directory


def model_name(directory: Path) -> tuple[str, bool]:
    """What a model calls itself, and whether it was trained, without loading it.

    Raises
    ------
    ModelError (E_MODEL) : its configuration does not say so.
    """
    try:
        facts = parsed_json((directory / "config.json").read_text(encoding="utf-8"))
        return str(facts["name"]), facts["trained"] is True
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError("its configuration cannot be read", code="E_MODEL", where=str(directory)) from error


def model_digest(directory: Path) -> str:
    """SHA-256 (64 hex digits) over configuration, weights, preprocessing, tokenizer and, if there is one, mean map.

    The same on every machine: names in a fixed order, and JSON by its content, not by its line ends or indentation.

    Raises
    ------
    ModelError (E_MODEL) : a file that should be JSON is none.
    """
    whole = hashlib.sha256()
    mean = [MEAN_ATTENTION_NAME] if (directory / MEAN_ATTENTION_NAME).is_file() else []
    for name in (*MODEL_FILES, *mean):
        path = directory / name
        if name.endswith(".json"):
            try:
                content = parsed_json(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ModelError("the file is not readable JSON", code="E_MODEL", where=name) from error
            part = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii"))
        else:
            with path.open("rb") as stream:
                part = hashlib.file_digest(stream, "sha256")
        whole.update(name.encode("ascii") + b"\0" + part.digest())
    return whole.hexdigest()


def _from_hub(source: str, needed: tuple[str, ...], *, revision: str | None, local_files_only: bool) -> Path:
    import huggingface_hub
    import huggingface_hub.errors

    wanted = [*needed, MEAN_ATTENTION_NAME]
    try:
        return Path(
            huggingface_hub.snapshot_download(
                source, revision=revision, allow_patterns=wanted, local_files_only=local_files_only
            )
        )
    except (huggingface_hub.errors.HfHubHTTPError, OSError, ValueError) as error:
        raise ModelError(
            f"no model directory {source}, and no such model in the hub's cache or on the hub",
            code="E_MODEL",
            where="model",
        ) from error

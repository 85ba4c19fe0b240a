"""``ngr assemble``: a model to train, from a vision and a text checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_json, write_line

__all__ = ["assemble"]


def assemble(
    vision: Annotated[str, typer.Option(help="Folder or hub id of a Swin, or of another backbone of timm.")],
    text: Annotated[str, typer.Option(help="Folder or hub id of a T5.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write the model to.")],
    name: Annotated[str, typer.Option(help="What provenance calls the model.")] = "assembled",
    label: Annotated[list[str] | None, typer.Option(help="A finding to classify; repeatable.")] = None,
    seed: Annotated[int, typer.Option(help="Of the weights that neither checkpoint has.")] = 0,
    offline: Annotated[bool, typer.Option("--offline", help="Never ask the hub.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Join a Swin and a T5 checkpoint (safetensors only) to a model that can be trained.

    Example: ngr assemble --vision microsoft/swin-base-patch4-window7-224 --text google-t5/t5-base -o model
    """
    from neuralgraph.compressor.scorer import require_model_libraries

    require_model_libraries()
    from neuralgraph.compressor.model.checkpoints import assemble as join

    digest = join(
        vision, text, output, name=name, labels=tuple(label or ["pneumonia"]), seed=seed, local_files_only=offline
    )
    if json:
        write_json({"output": str(output), "model": digest, "model_trained": False})
    else:
        write_line(f"{output}: model {digest[:12]}, to be trained before its scores mean anything")

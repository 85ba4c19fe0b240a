"""``ngr assemble``: a model to train, from a vision and a text checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_json, write_line

__all__ = ["assemble"]


def assemble(
    vision: Annotated[
        str, typer.Option(help="Folder or hub id of a Swin or another backbone of timm, or a file of its weights.")
    ],
    text: Annotated[
        str, typer.Option(help="Folder or hub id of a T5, or 'demo' for the decoder of the bundled model.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write the model to.")],
    name: Annotated[str, typer.Option(help="What provenance calls the model.")] = "assembled",
    label: Annotated[list[str] | None, typer.Option(help="A finding to classify; repeatable.")] = None,
    architecture: Annotated[str, typer.Option(help="timm's name, for a file of weights (.safetensors, .pth).")] = "",
    stage: Annotated[
        int, typer.Option(help="Which map of the backbone is the grid, from 1; 0 for the last.", min=0)
    ] = 0,
    output_stride: Annotated[int, typer.Option(help="Stride to ask of timm; 0 for the backbone's own.", min=0)] = 0,
    neck: Annotated[
        int, typer.Option(help="Width of a neck that knows place and film, over the map; 0 for none.", min=0)
    ] = 0,
    max_side: Annotated[
        int, typer.Option(help="Longest side in pixels that films keep; larger ones are reduced.", min=1)
    ] = 1024,
    seed: Annotated[int, typer.Option(help="Of the weights that neither checkpoint has.")] = 0,
    offline: Annotated[bool, typer.Option("--offline", help="Never ask the hub.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Join a vision and a T5 checkpoint to a model that can be trained; nothing is unpickled.

    Example: ngr assemble --vision microsoft/swin-base-patch4-window7-224 --text google-t5/t5-base -o model
    """
    from neuralgraph.compressor.scorer import require_model_libraries

    require_model_libraries()
    from neuralgraph.compressor.model.checkpoints import assemble as join
    from neuralgraph.compressor.model.vision_checkpoints import VisionChoice
    from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY

    digest = join(
        vision,
        DEMO_DIRECTORY if text == DEMO else text,
        output,
        name=name,
        labels=tuple(label or ["pneumonia"]),
        seed=seed,
        choice=VisionChoice(architecture, stage, output_stride, neck, max_side),
        local_files_only=offline,
    )
    if json:
        write_json({"output": str(output), "model": digest, "model_trained": False})
    else:
        write_line(f"{output}: model {digest[:12]}, to be trained before its scores mean anything")

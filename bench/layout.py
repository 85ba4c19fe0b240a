"""Does the layout of FORMAT.md pay on real films? Measures the choices that were frozen with it.

    python -m bench.layout [--films FOLDER] [--reports CSV] [--studies 192]

Studies are made of crops of real films (25 radiographs under CC licences), each with a real report of the Open-i
collection and the patch embeddings of a Swin encoder: Swin-base gives 1,024 values, Swin-tiny 768. No trained weights
can be had offline: the encoders carry seeded random weights with a random affine after the last norm; the figures are
those of float data of that shape, not of a trained model.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from bench.shared_data import SHARED_DATA
from neuralgraph import Patches, Study, View
from neuralgraph.codecs import zstd
from neuralgraph.codecs.registry import FORMS
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.fusion import fusion_edge
from neuralgraph.sources import normalise_report, read_film
from neuralgraph.storage.save import to_bytes
from neuralgraph.wire.columns import GRAPH_COLUMNS

RESULTS = Path(__file__).parent / "results" / "layout.json"
ENCODERS = {"swin_base_patch4_window12_384": 1024, "swin_tiny_patch4_window7_224": 768}
SIDE, STRIDE, KEPT = 960, 32, 20
CHUNK = 64


def films(folder: Path, count: int, seed: int) -> Iterator[np.ndarray]:
    """Seeded square crops of real films, resized to SIDE."""
    from PIL import Image

    paths = sorted((folder / "images").iterdir())
    random = np.random.default_rng(seed)
    loaded = [read_film(path).pixels for path in paths]
    for number in range(count):
        pixels = loaded[number % len(loaded)]
        side = int(min(pixels.shape) * random.uniform(0.75, 1.0))
        top, left = (int(random.integers(0, extent - side + 1)) for extent in pixels.shape)
        crop = Image.fromarray(pixels[top : top + side, left : left + side])
        yield np.asarray(crop.resize((SIDE, SIDE), Image.Resampling.BICUBIC)).clip(0, 1)


def encoder(name: str) -> Any:
    """A Swin encoder with seeded random weights."""
    import timm
    import torch

    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False, img_size=SIDE, num_classes=0, in_chans=1).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(3.0)
        width = model.norm.weight.shape
        model.norm.weight.copy_(torch.exp(0.5 * torch.randn(width)))
        model.norm.bias.copy_(0.5 * torch.randn(width))
    return model


def studies(name: str, folder: Path, reports: Path, count: int) -> list[Study]:
    """Studies of KEPT patches: the most structured ones of each film, with the graph of a real report."""
    import torch

    model = encoder(name)
    with reports.open(encoding="utf-8", newline="") as stream:
        texts = [f"{row['findings']} {row['impression']}".strip() or "Normal." for row in csv.DictReader(stream)]
    graphs = extractor("rules")([normalise_report(text) for text in texts])
    result = []
    for number, pixels in enumerate(films(folder, count, seed=1)):
        with torch.inference_mode():
            cells = model.forward_features(torch.from_numpy(pixels)[None, None] * 4 - 2)[0].numpy()
        rows, cols, width = cells.shape
        score = pixels.reshape(rows, STRIDE, cols, STRIDE).std(axis=(1, 3)).astype(np.float32)
        order = np.argsort(-score.ravel(), kind="stable")[:KEPT]
        row, col = np.divmod(order, cols)
        patches = Patches(row, col, score.ravel()[order], cells.reshape(-1, width)[order])
        graph = graphs[number % len(graphs)]
        edges = grid_edges(patches.view, patches.row, patches.col)
        result.append(
            Study(
                study_id=f"study-{number:06d}",
                views=(
                    View.from_scores(
                        score, height=SIDE, width=SIDE, patch_height=STRIDE, patch_width=STRIDE, position="PA"
                    ),
                ),
                patches=patches,
                concepts=graph.concepts,
                triples=graph.triples,
                fusion=fusion_edge(KEPT, edges, len(graph.concepts), graph.triples),
                labels={"pneumonia": float(number % 2)},
                provenance={"report": "given", "films": [{"format": "png", "bits_stored": 8, "photometric": "GREY"}]},
            )
        )
    return result


def best(data: bytes) -> int:
    """Bytes a stream takes: compressed when that saves 3 %."""
    compressed = len(zstd.encode(data))
    return compressed if 100 * compressed <= 97 * len(data) else len(data)


def planar(study: Study) -> bytes:
    """The graph stream with every column split into byte planes."""
    columns = study.columns().graph
    pieces = []
    for column in GRAPH_COLUMNS:
        array = columns[column.name]
        pieces.append(np.ascontiguousarray(array.reshape(-1).view("u1").reshape(-1, array.dtype.itemsize).T).tobytes())
    return b"".join(pieces)


def measure_forms(made: list[Study], form: str) -> dict[str, Any]:
    """Bytes per study of one embedding form, in one frame and in planes."""
    planes = [FORMS[form].form.encode(study.patches.embedding) for study in made]
    interleaved = [np.stack([np.frombuffer(plane, "u1") for plane in each], axis=1).tobytes() for each in planes]
    return {
        "raw": len(interleaved[0]),
        "one_frame_interleaved": mean(best(data) for data in interleaved),
        "one_frame_planes": mean(best(b"".join(each)) for each in planes),
        "stream_per_plane": mean(sum(best(plane) for plane in each) for each in planes),
        "stream_per_plane_of_64_studies": mean(
            sum(
                best(b"".join(each[number] for each in planes[start : start + CHUNK]))
                for number in range(len(planes[0]))
            )
            / CHUNK
            for start in range(0, len(planes), CHUNK)
        ),
    }


def measure_graph(made: list[Study]) -> dict[str, Any]:
    """Bytes per study of the light columns, alone, planar and 64 studies together."""
    columns = [study.columns() for study in made]
    streams = [each.graph_stream() for each in columns]
    chunks = [
        b"".join(
            b"".join(each.graph[column.name].tobytes() for each in columns[start : start + CHUNK])
            for column in GRAPH_COLUMNS
        )
        for start in range(0, len(columns), CHUNK)
    ]
    return {
        "raw": mean(len(stream) for stream in streams),
        "attention_map": mean(each.counts.n_cells for each in columns),
        "one_frame": mean(best(stream) for stream in streams),
        "one_frame_planar": mean(best(planar(study)) for study in made),
        "one_frame_per_column": mean(
            sum(best(each.graph[c.name].tobytes()) for c in GRAPH_COLUMNS) for each in columns
        ),
        "one_frame_of_64_studies": mean(best(chunk) / CHUNK for chunk in chunks),
    }


def measure_files(made: list[Study], form: str) -> dict[str, Any]:
    """Bytes around the streams: of a single file, and per study in an archive."""
    single = to_bytes(made[0], embedding=form)
    archive = to_bytes(made, embedding=form)
    records = [Container(BytesSource(archive)).record(position) for position in range(len(made))]
    streams = mean(sum(entry.stored_bytes for entry in record.streams.values()) for record in records)
    first = sum(entry.stored_bytes for entry in Container(BytesSource(single)).record(0).streams.values())
    return {
        "single_file": len(single),
        "single_file_overhead": len(single) - first,
        "archive_per_study": len(archive) / len(made),
        "archive_overhead_per_study": len(archive) / len(made) - streams,
    }


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, default=SHARED_DATA / "cxr")
    parser.add_argument("--reports", type=Path, default=SHARED_DATA / "openi" / "indiana_reports_200.csv")
    parser.add_argument("--studies", type=int, default=64)
    arguments = parser.parse_args()
    results: dict[str, Any] = {
        "command": "python -m bench.layout",
        "data": "crops of 25 radiographs of the COVID-19 image data collection (CC BY, CC BY-SA); reports of Open-i",
        "encoders": "timm Swin with seeded random weights, not trained",
        "studies": arguments.studies,
        "patches": KEPT,
        "versions": {name: metadata.version(name) for name in ("numpy", "zstandard", "torch", "timm")},
        "python": platform.python_version(),
        "measured": {},
    }
    for name, width in ENCODERS.items():
        made = studies(name, arguments.films, arguments.reports, arguments.studies)
        forms = {form: measure_forms(made, form) for form in ("float32", "bfloat16", "float16")}
        graph = measure_graph(made)
        files = {form: measure_files(made, form) for form in ("float32", "bfloat16", "int8")}
        together = forms["bfloat16"]["stream_per_plane_of_64_studies"] + graph["one_frame_of_64_studies"]
        alone = forms["bfloat16"]["stream_per_plane"] + graph["one_frame"]
        results["measured"][f"{width} values"] = {
            "embedding": forms,
            "graph": graph,
            "files": files,
            "gain_of_chunks_of_64_percent": 100 * (1 - together / alone),
            "gain_of_stream_per_plane_percent": {
                form: 100 * (1 - sizes["stream_per_plane"] / sizes["one_frame_planes"]) for form, sizes in forms.items()
            },
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(_rounded(results), indent=2) + "\n")
    print(RESULTS)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 2) if isinstance(value, float) else value


if __name__ == "__main__":
    main()

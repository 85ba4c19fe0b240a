"""How well letters burned into pictures are marked: recall and false alarms on phantoms and on real films.

    python -m bench.burned_text [--data ../shared/data] [--output bench/results/burned_text.json]

Phantoms get one line of text near their border, of every size, grey and ground below, and are written and read as PNG
or as JPEG of quality 85. What is looked for on the real films stands in ``burned_text_truth.json``, which one person
wrote down: of the films that are marked each, of the others a random sample.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import platform
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bench.shared_data import SHARED_DATA
from neuralgraph.errors import NeuralGraphError
from neuralgraph.phantoms import phantom
from neuralgraph.sources import read_film
from neuralgraph.sources.films.burned_text import text_lines
from neuralgraph.sources.films.recognise import film_of_bytes

ROOT = Path(__file__).resolve().parents[1]
TRUTH = Path(__file__).with_name("burned_text_truth.json")

SEEDS = range(1000, 1024)
SIDES = (512, 1024, 2048)
WORDS = ("2019/12/29", "DOE^JANE", "PORTABLE AP", "ID 4711-88", "Smith, John", "12:45")
HEIGHTS = (0.01, 0.015, 0.025, 0.04)
"""Of a capital letter, as a share of the film's height."""
INKS = {"white": 255, "black": 0, "grey 200": 200}
GROUNDS = ("film", "box")
PLACES = ("upper left", "lower right")


def picture_of(seed: int, side: int) -> NDArray[np.uint8]:
    """A phantom without its stamp."""
    pixels = phantom(seed, height=side, width=side, stamp=False).pixels
    return np.rint(pixels * 255).astype(np.uint8)


def lettered(
    picture: NDArray[np.uint8], word: str, height: float, ink: int, ground: str, place: str
) -> NDArray[np.uint8]:
    """A picture with a word drawn near its border."""
    side = len(picture)
    # Capitals of the built-in font are 0.72 of its size.
    font = ImageFont.load_default(max(6, round(height * side / 0.72)))
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = draw.textbbox((0, 0), word, font=font)
    margin = round(0.02 * side)
    at = (margin, margin) if place == "upper left" else (side - margin - right, side - margin - bottom)
    if ground == "box":
        edges = (at[0] + left - 4, at[1] + top - 4, at[0] + right + 4, at[1] + bottom + 4)
        draw.rectangle(edges, fill=255 if ink < 128 else 0)
    draw.text(at, word, fill=ink, font=font)
    return np.asarray(image)


def marked(picture: NDArray[np.uint8], kind: str) -> bool:
    """Whether a reader of the file marks it."""
    stream = BytesIO()
    options: dict[str, Any] = {"quality": 85} if kind == "JPEG" else {}
    Image.fromarray(picture).save(stream, kind, **options)
    return "text_marks" in film_of_bytes(stream.getvalue()).facts


def on_phantoms() -> dict[str, Any]:
    """Recall by what was drawn, and false alarms on the same phantoms without it."""
    found: dict[str, dict[str, list[bool]]] = {}
    alarms: list[bool] = []
    for number, seed in enumerate(SEEDS):
        side = SIDES[number % len(SIDES)]
        kind = ("PNG", "JPEG")[number // len(SIDES) % 2]
        plain = picture_of(seed, side)
        alarms.append(marked(plain, kind))
        case = 0
        for height in HEIGHTS:
            for ink, value in INKS.items():
                for ground in GROUNDS:
                    word = WORDS[(number + case) % len(WORDS)]
                    place = PLACES[(number + case) % len(PLACES)]
                    hit = marked(lettered(plain, word, height, value, ground, place), kind)
                    case += 1
                    for group, name in (
                        ("height", f"{height:.1%}"),
                        ("ink", f"{ink} on {ground}"),
                        ("side", str(side)),
                        ("file", kind),
                        ("all", "all"),
                    ):
                        found.setdefault(group, {}).setdefault(name, []).append(hit)
    return {
        "films": len(alarms),
        "false_alarms": sum(alarms),
        "recall": {
            group: {name: {"drawn": len(hits), "marked": sum(hits)} for name, hits in names.items()}
            for group, names in found.items()
        },
    }


def on_films(data: Path) -> dict[str, Any]:
    """What is marked of the real films, against what was seen on them."""
    truth = json.loads(TRUTH.read_text(encoding="utf-8"))
    with_text, without = set(truth["with_text"]), set(truth["without_text"])
    counts = dict.fromkeys(("films", "marked", "marked_with_text", "marked_without_text", "marked_unseen"), 0)
    counts |= dict.fromkeys(("unmarked", "unmarked_seen", "unmarked_with_text"), 0)
    seconds, pixels = [], 0
    for path in sorted([*(data / "real" / "films").iterdir(), *(data / "cxr" / "images").iterdir()]):
        try:
            film = read_film(path)
        except NeuralGraphError:
            continue
        start = time.process_time()
        is_marked = bool(text_lines(film.pixels))
        seconds.append(time.process_time() - start)
        pixels += film.pixels.size
        name = path.relative_to(data).as_posix()
        counts["films"] += 1
        if is_marked:
            counts["marked"] += 1
            counts["marked_with_text"] += name in with_text
            counts["marked_without_text"] += name in without
            counts["marked_unseen"] += name not in with_text | without
        else:
            counts["unmarked"] += 1
            counts["unmarked_seen"] += name in with_text | without
            counts["unmarked_with_text"] += name in with_text
    missed = counts["unmarked_with_text"] / max(1, counts["unmarked_seen"]) * counts["unmarked"]
    held = counts["marked_with_text"] + missed
    return {
        **counts,
        "share_of_marks_true": round(
            counts["marked_with_text"] / max(1, counts["marked"] - counts["marked_unseen"]), 3
        ),
        "recall_estimated": round(counts["marked_with_text"] / held, 3) if held else None,
        "milliseconds": {
            "median": round(1000 * float(np.median(seconds)), 1),
            "largest": round(1000 * max(seconds), 1),
            "mean_megapixels": round(pixels / len(seconds) / 1e6, 2),
        },
    }


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA)
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results" / "burned_text.json")
    arguments = parser.parse_args()
    results = {
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("numpy", "pillow")},
        },
        "phantoms": on_phantoms(),
        "films": on_films(arguments.data),
    }
    assert all(math.isfinite(value) for value in results["films"]["milliseconds"].values())
    arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

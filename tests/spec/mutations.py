"""Studies in every storable shape, and seeded damage to their files."""

from __future__ import annotations

import copy
import hashlib
import random
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from surgery import (
    COUNTS,
    File,
    Stream,
    graph_columns,
    parse,
    set_columns,
    set_strings,
    stored_uncompressed,
    strings,
)

import neuralgraph as ng

FORMS = ("exact", "float32", "bfloat16", "float16", "int8", "svd")
METHOD = {
    "model": {"name": "demo", "digest": "ab" * 32, "trained": False},
    "score": {"rule": "sum", "layer": -1, "heads": "mean"},
    "prune": {"policy": "fraction", "value": 0.023},
    "extractor": {"name": "rules", "version": "1", "fingerprint": "ab" * 8},
}


def make_study(
    seed: int = 0, *, views: int = 1, rows: int = 5, cols: int = 4, k: int = 6, dim: int = 5, **more: Any
) -> ng.Study:
    generator = np.random.default_rng(seed)
    films, patches = [], []
    for number in range(views):
        scores = generator.gamma(0.5, size=(rows + number, cols)).astype("f4")
        height, width = (rows + number) * 32 - 5, cols * 32 - 7
        films.append(
            ng.View.from_scores(scores, height=height, width=width, patch_height=32, patch_width=32, position="PA")
        )
        patches += [(-float(s), number, r, c) for (r, c), s in np.ndenumerate(scores)]
    kept = sorted(patches)[:k]
    score = np.array([-s for s, *_ in kept], "f4")
    view, row, col = (np.array([one[i] for one in kept], "i4") for i in (1, 2, 3))
    embedding = generator.standard_normal((len(kept), dim)).astype("f4")
    texts = ["pneumonia", "pleural effusion", "heart", "left lower lobe"]
    concepts = tuple(
        ng.Concept(text, "Observation::definitely absent", i * 10, i * 10 + 5, "findings")
        for i, text in enumerate(texts)
    )
    provenance = {**METHOD, "report": "given", "films": [{"format": "png", "bits": 8}] * views}
    return ng.Study(
        f"study {seed}",
        tuple(films),
        ng.Patches(row, col, score, embedding, view),
        concepts,
        np.array([[0, 0, 1], [2, 1, 3]]),
        (0, 1),
        {"edema": -1.0, "pneumonia": 1.0},
        provenance,
        **more,
    )


def full_study(seed: int = 7, *, pixels: str = "u1") -> ng.Study:
    generator = np.random.default_rng(seed)
    return make_study(
        seed,
        views=2,
        k=9,
        concept_vectors=ng.ConceptVectors(np.array([0, 1, 1, 2], "i4"), generator.standard_normal((3, 4)).astype("f4")),
        mentions=(
            ng.Mention(0, "Observation::uncertain", 41, 50, "findings"),
            ng.Mention(0, "Observation::definitely absent", 60, 69, "impression"),
            ng.Mention(3, "Anatomy::definitely present", 41, 50, "addendum"),
        ),
        report="Keine Pneumonie. \u00c4rztlich best\u00e4tigt.\n" + "No effusion. " * 30,
        pixels=generator.integers(0, 200, (9, 6, 5)).astype(pixels),
        extensions={"x.org.example.vitals": b"\x01\x02", "x.org.example.zeros": b""},
    )


def valid_files() -> dict[str, bytes]:
    files = {f"one {form}": ng.to_bytes(make_study(), embedding=form) for form in FORMS}
    files |= {f"full {form}": ng.to_bytes(full_study(), embedding=form) for form in FORMS}
    files["16-bit pixels"] = ng.to_bytes(full_study(pixels="u2"))
    files["large"] = ng.to_bytes(make_study(3, rows=40, cols=30, k=300, dim=64), embedding="bfloat16")
    files["wide"] = ng.to_bytes(make_study(4, rows=20, cols=20, k=9, dim=3000), embedding="int8")
    files["archive"] = ng.to_bytes([make_study(i) for i in range(5)])
    files["mixed archive"] = ng.to_bytes([make_study(1), full_study(), make_study(2, k=1)], embedding="float16")
    return files


# Damage -------------------------------------------------------------------------------------------------------------

INTERESTING = {
    1: [0, 1, 2, 0x7F, 0x80, 0xFF],
    2: [0, 1, 255, 256, 0x7FFF, 0x8000, 0xFFFF],
    4: [0, 1, 255, 65535, 0x7F800000, 0x80000000, 0x7FC00000, 0xFF800000, 0xFFFFFFFF, 0x3F800000],
    8: [0, 1, 32, 2**53 - 1, 2**53, 2**64 - 1],
}


def bump(generator: random.Random, data: bytes, start: int = 0, end: int | None = None) -> bytes:
    """Change one field of 1, 2, 4 or 8 bytes between start and end: a bit, an interesting value, a neighbour."""
    end = len(data) if end is None else end
    width = generator.choice([w for w in (1, 1, 2, 4, 8) if end - start >= w] or [0])
    if width == 0:
        return data
    at = start + generator.randrange((end - start) // width) * width
    old = int.from_bytes(data[at : at + width], "little")
    new = generator.choice(
        [old ^ (1 << generator.randrange(8 * width)), generator.choice(INTERESTING[width]), old + 1, old - 1]
    )
    new %= 1 << (8 * width)
    return data[:at] + new.to_bytes(width, "little") + data[at + width :]


def raw_damage(generator: random.Random, data: bytes) -> bytes:
    kind = generator.randrange(6)
    at = generator.randrange(len(data))
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data + bytes(generator.randrange(1, 40))
    if kind == 2:
        return data[:at] + data[at + generator.randrange(1, 20) :]
    if kind == 3:
        return data[:at] + generator.randbytes(generator.randrange(1, 20)) + data[at:]
    if kind == 4:
        return bump(generator, data)
    return data[:at] + bytes([data[at] ^ (1 << generator.randrange(8))]) + data[at + 1 :]


def override(name: str) -> Any:
    def change(generator: random.Random, file: File) -> None:
        seed = generator.random()
        file.overrides[name] = lambda value: bump(random.Random(seed), value)

    return change


def change_prologue(generator: random.Random, file: File) -> None:
    import zlib

    head = bump(generator, file.prologue, 0, 28)[:28]
    file.prologue = head + struct.pack("<I", zlib.crc32(head))


def change_section_row(generator: random.Random, file: File) -> None:
    field, index = generator.randrange(5), generator.random()
    value = generator.choice([0, 1, 2, 3, 4, -1, 2**32, 2**53 - 1, "x", "x.org.example.v", "abc", True, 1.0, b"index"])
    shift = generator.choice([None, 8, -8, 1])

    def change(rows: list[list[Any]]) -> list[list[Any]]:
        rows = copy.deepcopy(rows)
        row = rows[int(index * len(rows))]
        row[field] = row[field] + shift if shift is not None and isinstance(row[field], int) else value
        return rows

    file.overrides["sections"] = change


VALUES = [0, -1, 1.5, "", "abc", True, [], {}, b"\0", ["a"], {"a": 1}, {"name": "x"}, "given", 2**53 - 1]


def change_map(generator: random.Random, node: dict[str, Any]) -> None:
    """Add, drop or replace a member, perhaps of an inner map."""
    inner = [value for value in node.values() if isinstance(value, dict)]
    if inner and generator.random() < 0.5:
        node = generator.choice(inner)
    kind = generator.randrange(3)
    if kind == 0 or not node:
        node[generator.choice(["name", "patient", "x.org.example.v", "x.a", "X", "", "ext", "terms"])] = (
            generator.choice(VALUES)
        )
    elif kind == 1:
        del node[generator.choice(sorted(node))]
    else:
        node[generator.choice(sorted(node))] = generator.choice(VALUES)


def change_method(generator: random.Random, file: File) -> None:
    from surgery import pack

    if generator.random() < 0.2:
        change_map(generator, file.meta)
        return
    change_map(generator, file.meta["methods"][0])
    tag = struct.unpack("<I", hashlib.sha256(pack(file.meta["methods"][0])).digest()[:4])[0]
    for record in file.records:
        record.method_tag = tag


def change_source(generator: random.Random, file: File) -> None:
    import msgpack
    from surgery import pack

    record = generator.choice(file.records)
    pieces = strings(record)
    if generator.random() < 0.3:
        pieces[1] = bump(generator, pieces[1])
    else:
        source = msgpack.unpackb(pieces[1])
        change_map(generator, source)
        pieces[1] = pack(source)
    set_strings(record, pieces)


def change_count(generator: random.Random, file: File) -> None:
    record = generator.choice(file.records)
    place = generator.randrange(len(COUNTS))
    record.counts[place] = generator.choice(
        [0, 1, 2, record.counts[place] + 1, max(0, record.counts[place] - 1), 70000, 2**32 - 1]
    )


def change_header(generator: random.Random, file: File) -> None:
    record = generator.choice(file.records)
    if generator.random() < 0.5:
        record.flags = 1 << generator.randrange(16)
    else:
        record.method_tag ^= 1 << generator.randrange(32)


def change_table(generator: random.Random, file: File) -> None:
    record = generator.choice(file.records)
    stream = generator.choice(record.streams)
    kind = generator.randrange(6)
    if kind == 0:
        stream.id = generator.choice(
            [0, 1, 2, 3, 4, 0x10, 0x1F, 0x20, 0x28, 0x30, 0x60, 0x9F, 0xA0, 0x7FFF, 0x8000, 0x8001, 0xBFFF, 0xC000]
        )
        if generator.random() < 0.8:
            record.streams.sort(key=lambda one: one.id)
    elif kind == 1:
        stream.encoding = generator.choice([0, 1, 2, 3, 4, 0x8000, 0xFFFF])
    elif kind == 2:
        stream.decoded_bytes = generator.choice(
            [0, 1, stream.decoded_bytes + 1, max(0, stream.decoded_bytes - 1), 2**32 - 1]
        )
    elif kind == 3:
        record.streams.remove(stream)
        if not record.streams:
            record.streams.append(stream)
    elif kind == 4:
        stream.stored = stream.stored[: generator.randrange(len(stream.stored) + 1)]
    else:
        new = generator.choice([0, 2, 3, 0x10, 0x15, 0x20, 0x2A, 0x38, 0x60, 0x70, 0x8000, 0x8005])
        payload = generator.choice(
            [b"", b"\0", b"\5x.a.b", b"\x13x.org.example.vital", b"\xc3(", b"\2\0\2\0\1\0\0\0" + bytes(36)]
        )
        record.streams.append(Stream(new, 0, payload, len(payload)))
        record.streams.sort(key=lambda one: one.id)


def change_stored(generator: random.Random, file: File) -> None:
    """Damage stored bytes, zstd frames mostly; sizes stay."""
    record = generator.choice(file.records)
    stream = generator.choice(record.streams)
    near = min(len(stream.stored), 24)
    end = near if generator.random() < 0.4 else len(stream.stored)
    stream.stored = bump(generator, stream.stored, 0, end)


def change_frame_length(generator: random.Random, file: File) -> None:
    record = generator.choice(file.records)
    packed = [stream for stream in record.streams if stream.encoding == 1]
    if not packed:
        change_stored(generator, file)
        return
    stream = generator.choice(packed)
    frame = stream.stored
    stream.stored = generator.choice(
        [frame + b"\0", frame[:-1], frame + frame, b"\x50\x2a\x4d\x18\0\0\0\0" + frame, b""]
    )


def change_column(generator: random.Random, file: File) -> None:
    record = generator.choice(file.records)
    columns = graph_columns(record)
    name = generator.choice(sorted(name for name, column in columns.items() if len(column)))
    column = columns[name]
    i = generator.randrange(len(column))
    if column.dtype.kind == "f":
        values = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            float("nan"),
            float("inf"),
            float(column[i]) * 1.5,
            float(np.nextafter(column[i], np.float32(9))),
        ]
        column[i] = generator.choice(values)
    else:
        top = int(np.iinfo(column.dtype).max)
        old = int(column[i])
        column[i] = generator.choice(
            [0, 1, top, min(top, old + 1), max(0, old - 1), int(column[generator.randrange(len(column))])]
        )
    if generator.random() < 0.3:
        j = generator.randrange(len(column))
        column[i], column[j] = column[j], column[i]
    set_columns(record, columns)


TEXTS = [
    b"",
    b"a",
    b"\xc3\xa9",
    b"e\xcc\x81",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"a\nb",
    b"\x7f",
    b"\xc2\x85",
    b"\xe2\x80\x8e",
    b"\xe2\x81\xa6",
    b"\xef\xbb\xbfx",
    b" ",
    b"x" * 128,
    b"x" * 129,
    b"\xf0\x9f\xab\x80",
    b"\xe2\x80\x8b",
    b"\xf4\x90\x80\x80",
    b"\xef\xbf\xbe",
]


def change_string(generator: random.Random, file: File) -> None:
    record = generator.choice(file.records)
    pieces = strings(record)
    pieces[generator.choice([0, *range(2, len(pieces))])] = generator.choice(TEXTS)
    set_strings(record, pieces)


EDITS = [
    change_prologue,
    override("index"),
    override("keys"),
    override("toc"),
    override("trailer"),
    change_section_row,
    change_method,
    change_source,
    change_count,
    change_header,
    change_table,
    change_stored,
    change_frame_length,
    change_column,
    change_column,
    change_string,
]


def mutants(files: dict[str, bytes], *, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """``count`` damaged files with their history, the same for the same seed."""
    generator = random.Random(seed)
    names = sorted(name for name in files if name not in ("large", "wide"))
    for number in range(count):
        name = generator.choice(names)
        data = files[name]
        if generator.random() < 0.2:
            yield f"{number} {name} raw", raw_damage(generator, data)
            continue
        file = parse(data)
        if generator.random() < 0.3:
            file = stored_uncompressed(file)
        edit = generator.choice(EDITS)
        try:
            edit(generator, file)
            built = file.build()
        except (LookupError, ValueError, struct.error):  # an edit that this writer cannot write down
            continue
        yield f"{number} {name} {getattr(edit, '__name__', '')}", built

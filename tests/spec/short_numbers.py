"""Short numbers (FORMAT.md 7.8) once more, number by number and without the package under test."""

from __future__ import annotations

import numpy as np

PLAIN = {
    "view_patch_height", "view_patch_width", "view_score_step", "view_position", "cell_score", "patch_score",
    "concept_label", "triple_relation", "label_value", "text",
}  # fmt: skip


def shortened(columns: dict[str, np.ndarray]) -> bytes:
    """The short graph stream of columns."""
    out = bytearray()
    for name, column in columns.items():
        if name in PLAIN:
            out += column.tobytes()
            continue
        values, width = column.tolist(), 2 if name == "edge" else 1
        for i, value in enumerate(values):
            difference = value - (values[i - width] if i >= width else 0)
            number = 2 * difference if difference >= 0 else -2 * difference - 1
            while number > 0x7F:
                out.append(number & 0x7F | 0x80)
                number >>= 7
            out.append(number)
    return bytes(out)


def lengthened(content: bytes, layout: list[tuple[str, str, int]]) -> bytes:
    """The graph stream of its short form; ValueError when it is none."""
    out, at = [], 0
    for name, kind, count in layout:
        if name in PLAIN:
            size = count * np.dtype(kind).itemsize
            out.append(content[at : at + size])
            at += size
            continue
        values, width = [], 2 if name == "edge" else 1
        for i in range(count):
            number, shift = 0, 0
            while True:
                if at >= len(content) or shift > 28:
                    raise ValueError("a number is missing or too long")
                byte = content[at]
                at += 1
                number |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            difference = number // 2 if number % 2 == 0 else -(number + 1) // 2
            values.append(difference + (values[i - width] if i >= width else 0))
        if values and not 0 <= min(values) <= max(values) <= np.iinfo(kind).max:
            raise ValueError("a value does not fit")
        out.append(np.array(values, kind).tobytes())
    if at != len(content):
        raise ValueError("too much or too little")
    return b"".join(out)


def raw_frame(content: bytes) -> bytes:
    """A zstd frame with ``content``, fewer than 65,792 bytes, in one block as it is."""
    size = len(content)
    head = b"\x20" + bytes([size]) if size < 256 else b"\x60" + (size - 256).to_bytes(2, "little")
    return b"\x28\xb5\x2f\xfd" + head + (size << 3 | 1).to_bytes(3, "little") + content

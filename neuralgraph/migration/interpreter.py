"""The few instructions that a saved list of graphs uses, acted out on inert values.

A pickle is a program for a small stack machine; which instructions mean what is laid down in the comments of CPython's
``Lib/pickletools.py``. This interpreter knows the instructions of protocol 2 that lists of graphs are made of. The
three that could run something (GLOBAL, NEWOBJ, REDUCE) only look into the closed table of ``values``; everything else
is refused.
Work and memory are bounded by the length of the program and by ``MAX_VALUES``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.migration.values import GLOBALS, Marker, Object, Storage, StorageType, Tensor

__all__ = ["MAX_DEPTH", "MAX_PROGRAM_BYTES", "MAX_STRING_BYTES", "MAX_VALUES", "interpret", "interpret_first"]

MAX_PROGRAM_BYTES = 2**26
"""Length of the program."""
MAX_VALUES = 2**22
"""Values a program may put on its stack; a graph takes about 80."""
MAX_DEPTH = 64
"""Open brackets (MARK) at one time."""
MAX_STRING_BYTES = 2**16
"""Bytes of one text."""

_MAX_NAME = 128
_OPEN = object()


def interpret(program: bytes) -> Any:
    """The value that ``program`` describes: None, bool, int, float, str, list, tuple, dict, Marker, StorageType,
    Storage, Tensor and Object, nested; it may contain itself.

    Raises
    ------
    SourceError (E_SOURCE_CONTENT) : an instruction or a name outside the closed tables; nothing of it was carried out.
    SourceError (E_SOURCE_DAMAGED) : the program contradicts itself or ends early.
    SourceError (E_SOURCE_SIZE) : over a bound.
    """
    if len(program) > MAX_PROGRAM_BYTES:
        reason = f"the description of the graphs has {len(program)} bytes, the limit is {MAX_PROGRAM_BYTES}"
        raise SourceError(reason, code="E_SOURCE_SIZE", where="data.pkl")
    machine = _Machine(program)
    value = machine.run()
    if machine.position != len(program):
        raise machine.error("the program does not end with one value")
    return value


def interpret_first(data: memoryview) -> tuple[Any, int]:
    """The value of the first program in ``data``, and its length; errors and values as ``interpret``.

    The form of ``torch.save`` before PyTorch 1.6 puts programs one after another and does not say where they end.
    """
    machine = _Machine(bytes(data[:MAX_PROGRAM_BYTES]))
    return machine.run(), machine.position


class _Machine:
    def __init__(self, program: bytes) -> None:
        self.program, self.position, self.values = program, 0, 0
        self.stack: list[Any] = []
        self.memo: list[Any] = []
        self.depth = 0

    def error(self, reason: str, code: str = "E_SOURCE_DAMAGED") -> SourceError:
        return SourceError(f"{reason} (byte {self.position})", code=code, where="data.pkl")

    def refused(self, reason: str) -> SourceError:
        return self.error(f"{reason}; only plain lists of PyG graphs are read", "E_SOURCE_CONTENT")

    def run(self) -> Any:
        if self.take(2) != b"\x80\x02":
            raise self.refused("not pickle protocol 2, the one torch.save uses")
        while True:
            code = self.take(1)[0]
            if code == _STOP:
                break
            step = _STEPS.get(code)
            if step is None:
                raise self.refused(f"instruction 0x{code:02x} is not allowed")
            step(self)
        if len(self.stack) != 1 or self.depth:
            raise self.error("the program does not end with one value")
        return self.stack[0]

    def take(self, length: int) -> bytes:
        piece = self.program[self.position : self.position + length]
        if len(piece) != length:
            raise self.error("the program ends early")
        self.position += length
        return piece

    def unsigned(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def line(self) -> str:
        """The text up to the next line feed, which is taken too."""
        end = self.program.find(b"\n", self.position, self.position + _MAX_NAME + 1)
        if end < 0:
            raise self.error("a name does not end, or is too long")
        piece = self.take(end - self.position)
        self.position += 1
        try:
            return piece.decode("ascii")
        except UnicodeDecodeError as error:
            raise self.error("a name is not ASCII") from error

    def push(self, value: Any) -> None:
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.error(f"more than {MAX_VALUES} values", "E_SOURCE_SIZE")
        self.stack.append(value)

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is _OPEN:
            raise self.error("an instruction finds no value")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise self.error("an instruction finds a value of another kind")
        return self.stack[-1]

    def pop_bracket(self) -> list[Any]:
        """The values since the last open bracket, which is closed."""
        if not self.depth:
            raise self.error("a bracket is closed that was not opened")
        at = len(self.stack) - 1
        while self.stack[at] is not _OPEN:
            at -= 1
        values = self.stack[at + 1 :]
        del self.stack[at:]
        self.depth -= 1
        return values

    # One method per group of instructions, in the order of the table below.

    def open_bracket(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} open brackets", "E_SOURCE_SIZE")
        self.push(_OPEN)

    def constant(self, *, value: bool | None) -> None:
        self.push(value)

    def integer(self, size: int, *, signed: bool = False) -> None:
        self.push(int.from_bytes(self.take(size), "little", signed=signed))

    def long_integer(self) -> None:
        size = self.unsigned(1)
        if size > 8:
            raise self.refused("an integer of more than 64 bits")
        self.integer(size, signed=True)

    def number(self) -> None:
        self.push(struct.unpack(">d", self.take(8))[0])

    def text(self) -> None:
        length = self.unsigned(4)
        if length > MAX_STRING_BYTES:
            raise self.error(f"a text of {length} bytes, the limit is {MAX_STRING_BYTES}", "E_SOURCE_SIZE")
        try:
            self.push(self.take(length).decode())
        except UnicodeDecodeError as error:
            raise self.error("a text is not valid UTF-8") from error

    def tuple_of(self, length: int) -> None:
        self.push(tuple(reversed([self.pop() for _ in range(length)])))

    def append(self, values: list[Any]) -> None:
        self.top(list).extend(values)

    def set_items(self, values: list[Any]) -> None:
        target = self.top(dict)
        if len(values) % 2:
            raise self.error("a key without a value")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if type(key) is not str:
                raise self.refused("a key that is not text")
            if key in target:
                raise self.error("a key stands twice in a map")
            target[key] = value

    def set_item(self) -> None:
        value = self.pop()
        self.set_items([self.pop(), value])

    def remember(self, size: int) -> None:
        # Writers number what they remember without gaps, so the memory is a list and cannot be made to sprawl.
        number = self.unsigned(size)
        if number != len(self.memo):
            raise self.error("what is remembered is not numbered in order")
        value = self.pop()
        self.stack.append(value)
        self.memo.append(value)

    def recall(self, size: int) -> None:
        number = self.unsigned(size)
        if number >= len(self.memo):
            raise self.error("something is recalled that was not remembered")
        self.push(self.memo[number])

    def name(self) -> None:
        module, name = self.line(), self.line()
        found = GLOBALS.get((module, name))
        if found is None:
            shown = f"{module}.{name}"[:80]
            raise self.refused(f"the file names {shown if shown.isprintable() else 'something'}, which is not allowed")
        self.push(found)

    def new_object(self) -> None:
        arguments, kind = self.pop(), self.pop()
        if kind not in (Marker.graph, Marker.attributes) or arguments != ():
            raise self.refused("an object of a kind that is not allowed")
        self.push(Object(kind))

    def build(self) -> None:
        state = self.pop()
        # The map of a model's weights carries the versions of its layers, which say nothing about a tensor.
        if self.stack and type(self.stack[-1]) is dict and type(state) is dict and set(state) <= {"_metadata"}:
            return
        target = self.top(Object)
        if type(state) is not dict or target.state is not None:
            raise self.refused("an object whose state is not one map")
        target.state = state

    def call(self) -> None:
        arguments, target = self.pop(), self.pop()
        if target is Marker.map and arguments == ():
            self.push({})
        elif target is Marker.tensor and type(arguments) is tuple:
            self.push(self.tensor(arguments))
        else:
            raise self.refused("a call that is not allowed")

    def tensor(self, arguments: tuple[Any, ...]) -> Tensor:
        if len(arguments) not in (6, 7):
            raise self.refused("a tensor of another form")
        storage, offset, size, stride = arguments[:4]
        if type(storage) is not Storage or type(offset) is not int:
            raise self.refused("a tensor without a storage")
        for numbers in (size, stride):
            if type(numbers) is not tuple or any(type(value) is not int for value in numbers):
                raise self.refused("a tensor of another form")
        return Tensor(storage, offset, size, stride)

    def storage(self) -> None:
        reference = self.pop()
        # The form before PyTorch 1.6 adds which part of another storage this one is: none, in what is read.
        if type(reference) is tuple and len(reference) == 6 and reference[5] is None:
            reference = reference[:5]
        if type(reference) is not tuple or [type(item) for item in reference] != [str, StorageType, str, str, int]:
            raise self.refused("a reference to something that is not a storage")
        word, kind, key, _, n_values = reference
        # A number within the file, or, in the old form, an address of 64 bits.
        if word != "storage" or not (key.isascii() and key.isdigit() and len(key) <= 20) or n_values < 0:
            raise self.refused("a reference to something that is not a storage")
        self.push(Storage(kind, key, n_values))


_STOP = ord(".")

_STEPS: dict[int, Callable[[_Machine], None]] = {
    ord("("): _Machine.open_bracket,  # MARK
    ord("N"): lambda machine: machine.constant(value=None),  # NONE
    0x88: lambda machine: machine.constant(value=True),  # NEWTRUE
    0x89: lambda machine: machine.constant(value=False),  # NEWFALSE
    ord("K"): lambda machine: machine.integer(1),  # BININT1
    ord("M"): lambda machine: machine.integer(2),  # BININT2
    ord("J"): lambda machine: machine.integer(4, signed=True),  # BININT
    0x8A: _Machine.long_integer,  # LONG1
    ord("G"): _Machine.number,  # BINFLOAT
    ord("X"): _Machine.text,  # BINUNICODE
    ord(")"): lambda machine: machine.push(()),  # EMPTY_TUPLE
    0x85: lambda machine: machine.tuple_of(1),  # TUPLE1
    0x86: lambda machine: machine.tuple_of(2),  # TUPLE2
    0x87: lambda machine: machine.tuple_of(3),  # TUPLE3
    ord("t"): lambda machine: machine.push(tuple(machine.pop_bracket())),  # TUPLE
    ord("]"): lambda machine: machine.push([]),  # EMPTY_LIST
    ord("a"): lambda machine: machine.append([machine.pop()]),  # APPEND
    ord("e"): lambda machine: machine.append(machine.pop_bracket()),  # APPENDS
    ord("}"): lambda machine: machine.push({}),  # EMPTY_DICT
    ord("s"): _Machine.set_item,  # SETITEM
    ord("u"): lambda machine: machine.set_items(machine.pop_bracket()),  # SETITEMS
    ord("q"): lambda machine: machine.remember(1),  # BINPUT
    ord("r"): lambda machine: machine.remember(4),  # LONG_BINPUT
    ord("h"): lambda machine: machine.recall(1),  # BINGET
    ord("j"): lambda machine: machine.recall(4),  # LONG_BINGET
    ord("c"): _Machine.name,  # GLOBAL
    0x81: _Machine.new_object,  # NEWOBJ
    ord("b"): _Machine.build,  # BUILD
    ord("R"): _Machine.call,  # REDUCE
    ord("Q"): _Machine.storage,  # BINPERSID
}
"""Instruction -> what it does to the machine. There is no other."""

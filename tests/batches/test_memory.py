from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from neuralgraph.batches.memory import ReusedMemory

SHAPE = (600, 512)


def address(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def test_memory_comes_back_when_nobody_refers_to_it() -> None:
    memory = ReusedMemory()
    first = memory.array(SHAPE, np.float32)
    place, part = address(first), first[3:5, 1:]
    del first
    # A view of a part is enough to keep all of it.
    second = memory.array(SHAPE, np.float32)
    assert address(second) != place
    del part
    third = memory.array(SHAPE, np.float32)
    assert address(third) == place
    assert (third.shape, third.dtype, third.flags.c_contiguous, third.flags.writeable) == (SHAPE, "f4", True, True)


def test_tensors_hold_the_memory_too() -> None:
    torch = pytest.importorskip("torch", reason="the extra pyg is not installed")
    memory = ReusedMemory()
    array = memory.array(SHAPE, np.float32)
    tensor, place = torch.from_numpy(array), address(array)
    row = tensor[7].numpy()[2:]
    del array, tensor
    other = memory.array(SHAPE, np.float32)
    assert address(other) != place
    row[:] = 5
    del row
    assert address(memory.array(SHAPE, np.float32)) == place


def test_sizes_that_differ_much_do_not_share() -> None:
    memory = ReusedMemory()
    large = memory.array((4096, 512), np.float32)
    place = address(large)
    del large
    assert address(memory.array((100, 512), np.float32)) != place


def test_only_two_blocks_wait() -> None:
    memory = ReusedMemory()
    arrays = [memory.array(SHAPE, np.float32) for _ in range(6)]
    del arrays
    gc.collect()
    assert len(memory._free) == 2
    memory.clear()
    assert not memory._free


def test_small_arrays_are_plain() -> None:
    assert ReusedMemory().array((3, 4), np.int64).base is None


def test_threads_never_get_the_same_memory() -> None:
    memory, wrong = ReusedMemory(), []

    def work(mark: int) -> None:
        for _ in range(200):
            array = memory.array((64, 1024), np.float32)
            array[:] = mark
            if not (array == mark).all():
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

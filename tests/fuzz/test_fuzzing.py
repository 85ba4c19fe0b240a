"""The parts of the fuzz targets that need no fuzzing engine, and a little fuzzing without one."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralgraph as ng
from fuzz.corpus import committed
from fuzz.mutator import mutate_file
from fuzz.oracles import check_program, check_reading, check_survey
from fuzz.parts import PARTS, seal_record
from fuzz.sealing import record_extents, seal
from fuzz.seeds import file_seeds, program_seeds
from fuzz.targets import TARGETS

FILES = list(file_seeds())
PROGRAMS = list(program_seeds())


def engine(data: bytes, max_size: int) -> bytes:
    """A general mutator as plain as can be: the engine's is a library of its own."""
    choose = random.Random(data)
    changed = bytearray(data[:max_size])
    for _ in range(choose.randrange(1, 4)):
        if changed:
            changed[choose.randrange(len(changed))] = choose.randrange(256)
    if choose.random() < 0.1:
        del changed[choose.randrange(len(changed) + 1) :]
    return bytes(changed)


def test_seeds_are_valid_and_sealing_leaves_them_alone():
    assert len(FILES) > 60
    for data in FILES:
        assert check_reading(data) == "valid"
        assert seal(data) == data
        assert record_extents(data)
        assert check_survey(data) == "valid"
    for program in PROGRAMS:
        assert check_program(program) == "valid"


@pytest.mark.parametrize("name", TARGETS)
def test_committed_inputs_are_read_or_refused(name):
    """Everything that a long run reached, again with the code as it is now."""
    inputs = committed(name)
    assert inputs, "run: python -m fuzz.corpus pack FOLDER"
    for data in inputs:
        TARGETS[name].check(data)


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_valid_where_they_are_cut_out_and_refused_where_they_are_changed(name):
    check, seeds = PARTS[name], list(TARGETS[name].seeds())
    assert {check(seed) for seed in seeds} == {"valid"}
    ends = Counter(check(engine(seed + bytes([number]), 1_024)) for seed in seeds for number in range(40))
    assert len(ends) > 1, ends


def test_sealing_leaves_a_sound_record_alone():
    for seed in TARGETS["record"].seeds():
        assert seal_record(seed) == seed


def test_sealing_makes_changed_values_readable():
    """A changed word of an uncompressed file comes back, though every checksum above it was broken."""
    data = next(data for data in FILES if b"heartenlarged" in data and ng.validate_bytes(data).n_studies == 1)
    changed = seal(data.replace(b"heartenlarged", b"heartenlarges"))
    assert changed != data
    assert check_reading(changed) == "valid"


@given(st.sampled_from(FILES), st.integers(0, 2**32))
def test_structured_mutants_are_read_or_refused(data, seed):
    for number in range(4):
        mutant = mutate_file(data, len(data), seed + number, engine=engine)
        assert len(mutant) <= len(data)
        check_reading(mutant)
        data = mutant


@given(st.sampled_from(FILES), st.data())
def test_truncated_and_spliced_files_are_refused(data, draw):
    start = draw.draw(st.integers(0, len(data)))
    other = draw.draw(st.sampled_from(FILES))
    check_reading(data[:start] + other[start:])


@given(st.sampled_from(PROGRAMS), st.integers(0, 2**32))
def test_mutated_programs_are_read_or_refused(program, seed):
    for number in range(10):
        program = engine(program + bytes([(seed + number) % 256]), len(program))
        check_program(program)


@given(st.sampled_from(FILES), st.integers(0, 2**32))
def test_damaged_files_are_surveyed(data, seed):
    for number in range(4):
        data = engine(data + bytes([(seed + number) % 256]), len(data))
        check_survey(data)


def test_a_truncated_file_states_where_a_study_stood():
    """Found by the survey target, whose first rule was that every place lies inside the file."""
    data = max(FILES, key=len)
    cut = data[: len(data) // 2] + data[-96:]
    assert check_survey(cut) != "valid"

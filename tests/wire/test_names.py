"""The grammar of names, by hand (FORMAT.md sections 6.2 and 12.2)."""

from __future__ import annotations

import pytest

from neuralgraph.wire.names import MAX_NAME_BYTES, is_extension_name, is_section_name


@pytest.mark.parametrize("name", ["x.org.example.note", "x.org.example.a.b", "x.org.9-a.b-", "x.a.b." + "c" * 249])
def test_names_of_extensions(name):
    assert is_extension_name(name)
    assert is_section_name(name)


@pytest.mark.parametrize(
    "name",
    ["x.org.example", "x.org.example.Note", "x.org.-a.b", "x.org..b.c", "y.org.example.a", "x.org.example.a\n",
     "x.org.exämple.a", "x.a.b." + "c" * 250],
)  # fmt: skip
def test_what_is_no_name_of_an_extension(name):
    assert not is_extension_name(name)


def test_names_of_the_core():
    assert all(map(is_section_name, ("index", "keys", "a", "a_9", "a" * 32)))
    assert not any(map(is_section_name, ("", "Index", "9a", "_a", "a" * 33, "a-b", "index\n")))
    assert MAX_NAME_BYTES == 255

import pytest

from neuralgraph.wire.json_reading import parsed_json


def test_text_and_bytes():
    assert parsed_json('{"a": [1, null]}') == parsed_json(b'{"a": [1, null]}') == {"a": [1, None]}


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000, b'{"a":' * 100_000], ids=lambda text: str(text[:5]))
def test_whatever_is_wrong_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parsed_json(text)

"""One process does it, the others wait for what it leaves."""

from __future__ import annotations

from threading import Timer

import pytest

from neuralgraph.compressor.training import in_turn as module
from neuralgraph.compressor.training.in_turn import in_turn
from neuralgraph.errors import ModelError


def test_the_first_process_works(tmp_path, monkeypatch):
    for rank in (None, "0"):
        monkeypatch.setenv("RANK", rank) if rank else monkeypatch.delenv("RANK", raising=False)
        sign = tmp_path / f"sign {rank}"
        in_turn(sign.touch, sign)
        assert sign.exists()


def test_the_others_wait(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    sign = tmp_path / "sign"
    timer = Timer(0.05, sign.touch)
    timer.start()
    in_turn(lambda: pytest.fail("this is the work of the first"), sign, pause=0.01)
    assert sign.exists()
    timer.join()


def test_a_sign_that_never_comes(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(module, "_LONGEST", 0.02)
    with pytest.raises(ModelError) as caught:
        in_turn(lambda: None, tmp_path / "sign", pause=0.01)
    assert (caught.value.code, caught.value.where) == ("E_MODEL", "sign")

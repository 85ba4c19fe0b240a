"""The klt form and its codebook: decoding by hand, the promised loss, and what a missing codebook does."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.codecs.codebook import Codebook, fit_codebook, load_codebook
from neuralgraph.codecs.klt import KLT, Klt
from neuralgraph.codecs.loss import normalised_rmse
from neuralgraph.codecs.svd import Svd
from neuralgraph.errors import CodecError, FormatError, StudyError
from neuralgraph.storage.pack import pack, unpack
from neuralgraph.storage.summary import file_summary


def collection(n, width=24, seed=0):
    """Rows of five hidden causes and a little noise, channels of different scale and place."""
    random = np.random.default_rng(seed)
    causes = np.random.default_rng(99).normal(0, 1, (5, width))
    scales = np.exp(np.random.default_rng(98).normal(0, 1, width))
    rows = random.normal(0, 1, (n, 5)) @ causes + random.normal(0, 0.05, (n, width)) + np.arange(width) / 8
    return (rows * scales).astype(np.float32)


BOOK = fit_codebook(collection(500))


def trip(form, matrix):
    planes = form.encode(matrix)
    assert tuple(map(len, planes)) == form.plane_bytes(*matrix.shape)
    return KLT.for_reader({BOOK.digest: BOOK}.get).decode(planes, *matrix.shape, where="x")


def test_decoding_by_hand():
    book = Codebook(np.array([10, -1], "f4"), np.array([2, 0.5], "f4"), np.array([[3, 4]], "i2"))
    # One component, one row: code -3 is u = 5: with shift 1 upper 2 and a low bit of 1.
    planes = (book.digest + struct.pack("<f", 0.25), b"\1\0", b"\2\0", b"\1\0")
    decoded = KLT.for_reader({book.digest: book}.get).decode(planes, 1, 2, where="x")
    assert decoded.tolist() == [[-9 * 0.25 * 2 + 10, -12 * 0.25 * 0.5 - 1]]


@pytest.mark.parametrize("loss", [0.002, 0.011, 0.06, 0.3])
def test_the_measured_loss_is_the_promised_one(loss):
    matrix = collection(20, seed=5)
    error = normalised_rmse(matrix, trip(Klt(loss, BOOK), matrix), BOOK.deviation.astype(np.float64))
    assert 0.8 * loss < error <= loss


def test_it_takes_less_than_svd_for_the_same_loss():
    matrix = collection(20, seed=6)

    def used(planes):
        return sum(len(plane) - plane.count(0) for plane in planes[-2:])

    assert used(Klt(0.06, BOOK).encode(matrix)) < used(Svd(0.06).encode(matrix))


def test_a_codebook_survives_its_bytes_and_is_the_same_twice():
    again = Codebook.from_bytes(BOOK.to_bytes(), where="x")
    assert again.digest == BOOK.digest == fit_codebook(collection(500)).digest
    assert (again.mean == BOOK.mean).all()
    assert (again.basis == BOOK.basis).all()


def test_the_basis_is_nearly_orthonormal_and_ordered():
    unit = BOOK.matrix / 16_384
    assert np.abs(unit @ unit.T - np.eye(len(unit))).max() < 1e-3
    normal = (collection(500) - BOOK.mean) / BOOK.deviation @ unit.T
    assert (np.diff(normal.var(axis=0)) < 1e-6).all()


def test_fewer_components_and_constant_channels():
    values = collection(60)
    values[:, 3] = 7
    book = fit_codebook(values, components=6)
    assert book.basis.shape == (6, 24)
    form = Klt(0.2, book)
    decoded = form.for_reader({book.digest: book}.get).decode(form.encode(values[:4]), 4, 24, where="x")
    assert decoded[:, 3].tolist() == [7] * 4


@pytest.mark.parametrize("values", [np.zeros((1, 3)), np.zeros(3), np.full((3, 3), np.nan)])
def test_what_no_codebook_can_be_fitted_to(values):
    with pytest.raises(StudyError) as caught:
        fit_codebook(values)
    assert caught.value.code == "E_NUM"


def test_a_codebook_of_other_embeddings_is_refused():
    other = fit_codebook(np.random.default_rng(0).normal(0, 1, (50, 24)).astype(np.float32) * 1e-6)
    with pytest.raises(StudyError) as caught:
        Klt(0.001, other).encode(collection(5) * 1e6)
    assert caught.value.code == "E_NUM"
    with pytest.raises(StudyError) as caught:
        Klt(0.01, BOOK).encode(collection(5, width=20))
    assert caught.value.code == "E_DICT"


def study(number=0):
    made = build_study(dim=24, patches=5, form="float32", study_id=f"s{number}")
    patches = ng.Patches(
        made.patches.row, made.patches.col, made.patches.score, collection(5, seed=number), made.patches.view
    )
    from dataclasses import replace

    return replace(made, patches=patches)


def test_a_single_file_leans_on_the_codebook_and_says_which(tmp_path):
    ng.save(study(), tmp_path / "a.ngr", embedding="klt:0.06", codebook=BOOK)
    with pytest.raises(CodecError, match=BOOK.digest.hex()) as caught:
        ng.load(tmp_path / "a.ngr")
    assert caught.value.code == "E_DICT"
    loaded = ng.load(tmp_path / "a.ngr", codebooks=[BOOK])
    assert loaded.provenance["loss"][0]["form"] == "klt"
    summary = file_summary(tmp_path / "a.ngr", codebooks=[BOOK])
    assert summary["storage"]["codebooks"] == [{"digest": BOOK.digest.hex(), "in_file": False}]
    with ng.open(tmp_path / "a.ngr", codebooks=[BOOK]) as archive:
        assert archive[0].digest == loaded.digest


def test_an_archive_holds_its_codebook_and_so_do_unpacked_files(tmp_path):
    ng.save([study(1), study(2)], tmp_path / "two.ngr", embedding="klt", codebook=BOOK)
    assert ng.validate(tmp_path / "two.ngr").ok
    with ng.open(tmp_path / "two.ngr") as archive:
        digests = [each.digest for each in archive]
    paths = unpack(tmp_path / "two.ngr", tmp_path / "out")
    assert [ng.load(path).digest for path in paths] == digests
    pack(paths, tmp_path / "again.ngr")
    assert (tmp_path / "again.ngr").read_bytes() == (tmp_path / "two.ngr").read_bytes()
    pack(paths, tmp_path / "train.ngr", profile="train")
    with ng.open(tmp_path / "train.ngr") as archive:
        assert [each.digest for each in archive] == digests


def test_packing_files_that_lean_on_a_model(tmp_path):
    ng.save(study(1), tmp_path / "a.ngr", embedding="klt", codebook=BOOK)
    with pytest.raises(CodecError) as caught:
        pack([tmp_path / "a.ngr"], tmp_path / "b.ngr")
    assert caught.value.code == "E_DICT"
    pack([tmp_path / "a.ngr"], tmp_path / "b.ngr", codebooks=[BOOK])
    assert ng.load(tmp_path / "b.ngr").digest == ng.load(tmp_path / "a.ngr", codebooks=[BOOK]).digest


def test_a_codebook_is_read_from_a_file_or_the_folder_of_a_model(tmp_path):
    (tmp_path / "codebook.ngrk").write_bytes(BOOK.to_bytes())
    assert load_codebook(tmp_path).digest == load_codebook(tmp_path / "codebook.ngrk").digest == BOOK.digest
    with pytest.raises(FormatError) as caught:
        load_codebook(tmp_path / "none")
    assert caught.value.code == "E_OPEN"


def test_a_codebook_goes_with_klt_alone():
    for embedding, codebook in (("klt", None), ("klt:0.1", None), ("svd", BOOK), ("exact", BOOK)):
        with pytest.raises(StudyError) as caught:
            ng.to_bytes(study(), embedding=embedding, codebook=codebook)
        assert caught.value.code == "E_DICT"

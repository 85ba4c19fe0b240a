"""Marks of manifests and of COCO JSON."""

from __future__ import annotations

import json

import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.manifest import ManifestImage, ManifestRow
from neuralgraph.sources.layouts.marked_rows import with_marks
from neuralgraph.sources.layouts.marks import Mark, coco_marks

BOX = {"label": "Nodule", "x": 1, "y": 2, "w": 3.5, "h": 4, "phrase": "a nodule"}


def test_columns_of_marks_are_read_and_written_back(tree):
    for name in ("a.png", "b.png", "m.png"):
        tree.image(name)
    lines = [
        {
            "study_id": "s",
            "image": ["a.png", "b.png"],
            "boxes": [BOX, {"label": "Effusion", "polygon": [0, 0, 5, 0, 5, 5], "image": 1}],
            "mask.Effusion": "m.png",
            "marked": ["Nodule"],
        },
        {"study_id": "t", "image": "a.png", "boxes": json.dumps([BOX]), "mask": "m.png", "marked": "*"},
        {"study_id": "u", "image": "a.png", "boxes": [{**BOX, "w": 0}]},
        {"study_id": "v", "image": "a.png", "boxes": [{**BOX, "image": 1}]},
        {"study_id": "w", "image": "a.png", "boxes": "no JSON"},
    ]
    tree.file("manifest.jsonl", "\n".join(json.dumps({"report": "Words.", **line}) for line in lines))
    manifest = tree.manifest()
    one, two = manifest.rows
    nodule = Mark("Nodule", (1.0, 2.0, 3.5, 4.0), phrase="a nodule")
    assert one.images[0].marks == (nodule, Mark("Effusion", mask=str(tree.root / "m.png")))
    assert one.images[1].marks == (Mark("Effusion", outlines=((0.0, 0.0, 5.0, 0.0, 5.0, 5.0),)),)
    assert one.images[0].marked == ("Nodule",)
    assert two.images[0].marks == (nodule, Mark("", mask=str(tree.root / "m.png")))
    assert two.images[0].marked == ("*",)
    assert {row.study_key: row.reason for row in manifest.dropped} == dict.fromkeys("uvw", "row_invalid")
    (tree.root / "manifest.jsonl").unlink()
    manifest.write(tree.root / "manifest.jsonl")
    assert tree.manifest().rows == manifest.rows


def test_coco_marks_are_joined_by_name_whatever_the_ending(tmp_path):
    values = {
        "images": [{"id": 1, "file_name": "x.jpg", "path": "files/p10/x.jpg"}, {"id": 2, "file_name": "y.jpg"}],
        "categories": [{"id": 3, "name": "Pneumonia"}],
        "annotations": [
            {"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "label_text": "left base opacity"},
            {"image_id": 1, "category_id": 3, "bbox": [5, 5, 5, 5], "segmentation": {"counts": [], "size": [9, 9]}},
        ],
    }
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(values))
    marks = coco_marks(path)
    rows = [
        ManifestRow(study_key=name, images=(ManifestImage(f"/data/{name}"),), report="Words.")
        for name in ("files/p10/x.dcm", "files/p11/x.dcm", "y.dcm")
    ]
    joined, count = with_marks(rows, marks)
    assert count == 1
    assert [mark.phrase for mark in joined[0].images[0].marks] == ["left base opacity", ""]
    assert joined[1:] == rows[1:]


@pytest.mark.parametrize("text", ["no", "[]", '{"images": [], "annotations": [{}]}', '{"images": 3}'])
def test_what_is_no_coco_file_is_refused(tmp_path, text):
    path = tmp_path / "boxes.json"
    path.write_text(text)
    with pytest.raises(SourceError) as caught:
        coco_marks(path)
    assert caught.value.code == "E_SOURCE_CONTENT"

from neuralgraph.sources.layouts import detect_layout

REPORTS = "uid,MeSH,Problems,image,indication,comparison,findings,impression"
XML = """<?xml version="1.0" encoding="utf-8"?>
<eCitation>
 <uId id="CXR{uid}"/>
 <MedlineCitation><Article><Abstract>
  <AbstractText Label="COMPARISON">None.</AbstractText>
  <AbstractText Label="INDICATION">rule out pneumonia</AbstractText>
  <AbstractText Label="FINDINGS">{findings}</AbstractText>
  <AbstractText Label="IMPRESSION">{impression}</AbstractText>
 </Abstract></Article></MedlineCitation>
 <MeSH><major>Cardiomegaly/mild</major><major>Opacity/lung/base</major></MeSH>
 {images}
</eCitation>
"""


def test_tables(tree, reasons):
    for name in ("1_IM-0001-4001.dcm.png", "1_IM-0001-3001.dcm.png", "2_IM-0652-1001.dcm.png"):
        tree.image(f"images/images_normalized/{name}")
    tree.table(
        "indiana_reports.csv",
        REPORTS,
        (1, "normal", "normal", "Xray", "Positive TB test", "None.", "The heart is normal.", "Normal chest."),
        (2, "", "Cardiomegaly;Pulmonary Artery", "", "Chest pain", "", "", "Borderline cardiomegaly."),
        (3, "", "", "", "Fever", "", "", ""),
        (4, "", "", "", "", "", "Clear.", ""),
        (5, "", "", "", "", "", "Clear.", ""),
    )
    tree.table(
        "indiana_projections.csv",
        "uid,filename,projection",
        (1, "1_IM-0001-3001.dcm.png", "Lateral"),
        (1, "1_IM-0001-4001.dcm.png", "Frontal"),
        (2, "2_IM-0652-1001.dcm.png", "Frontal"),
        (3, "1_IM-0001-4001.dcm.png", "Frontal"),
        (4, "1_IM-0001-3001.dcm.png", "Lateral"),
    )
    assert detect_layout(tree.root) == "openi"
    manifest = tree.manifest()
    first, second = manifest.rows
    assert first.report == "FINDINGS:\nThe heart is normal.\n\nIMPRESSION:\nNormal chest."
    assert [(image.path, image.view) for image in first.images] == [
        (str(tree.root / "images/images_normalized/1_IM-0001-4001.dcm.png"), "FRONTAL")
    ]
    assert first.patient_key == ""
    assert second.report == "IMPRESSION:\nBorderline cardiomegaly."
    assert (second.labels, second.labeler) == ({"cardiomegaly": 1.0, "pulmonary artery": 1.0}, "mesh")
    assert reasons(manifest) == {"3": "no_report", "4": "no_frontal", "5": "no_image"}


def test_xml(tree, reasons):
    images = '<parentImage id="CXR{uid}_IM-0001-3001"/><parentImage id="CXR{uid}_IM-0001-4001"/>'
    for uid in ("2", "10"):
        tree.file(
            f"NLMCXR_reports/ecgen-radiology/{uid}.xml",
            XML.format(uid=uid, findings="Clear.", impression="", images=images.format(uid=uid)),
        )
        for number in ("3001", "4001"):
            tree.image(f"NLMCXR_png/CXR{uid}_IM-0001-{number}.png")
    bomb = '<!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><eCitation>&b;</eCitation>'
    tree.file("NLMCXR_reports/ecgen-radiology/11.xml", bomb)
    tree.file("NLMCXR_reports/ecgen-radiology/12.xml", "<eCitation>")
    assert detect_layout(tree.root) == "openi"
    assert reasons(tree.manifest()) == {
        "2": "view_unknown",
        "10": "view_unknown",
        "11": "row_invalid",
        "12": "row_invalid",
    }
    assert [len(row.images) for row in tree.manifest(views=None, one_film=False).rows] == [2, 2]
    tree.table(
        "indiana_projections.csv",
        "uid,filename,projection",
        (2, "2_IM-0001-3001.dcm.png", "Lateral"),
        (2, "2_IM-0001-4001.dcm.png", "Frontal"),
        (10, "10_IM-0001-3001.dcm.png", "Frontal"),
    )
    ten, two = tree.manifest().rows
    assert two.images[0].path == str(tree.root / "NLMCXR_png/CXR2_IM-0001-4001.png")
    assert ten.images[0].path == str(tree.root / "NLMCXR_png/CXR10_IM-0001-3001.png")
    assert two.report == "FINDINGS:\nClear."
    assert two.labels == {"cardiomegaly": 1.0, "opacity": 1.0}

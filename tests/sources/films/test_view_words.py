import pytest

from neuralgraph.sources.films.view_words import position_of_code, projection_of_code, read_view


@pytest.mark.parametrize(
    ("words", "projection", "position"),
    [
        ("AP Supine", "AP", "supine"),
        ("AP SUP", "AP", "supine"),
        ("AP SUPINE", "AP", "supine"),
        ("PORTABLE AP", "AP", ""),
        ("AP erect", "AP", "erect"),
        ("Chest AP (Portable)", "AP", ""),
        ("chest_ap_semi-erect", "AP", "semi-erect"),
        ("AP SEMI UPRIGHT", "AP", "semi-erect"),
        ("APSUPINE", "AP", "supine"),
        ("AP_horizontal", "AP", "supine"),
        ("sitting AP", "AP", "sitting"),
        ("pa", "PA", ""),
        ("P.A.", "PA", ""),
        ("A/P", "AP", ""),
        ("PA 1", "PA", ""),
        ("PA upright", "PA", "erect"),
        ("Postero-anterior", "PA", ""),
        ("postero-anterior projection", "PA", ""),
        ("POSTEROANTERIOR", "PA", ""),
        ("Posterior to anterior", "PA", ""),
        ("antero-posterior", "AP", ""),
        ("Anteroposterior", "AP", ""),
        ("LL", "LL", ""),
        ("RL", "RL", ""),
        ("L LAT", "LL", ""),
        ("Left lateral", "LL", ""),
        ("LATERAL - RIGHT", "RL", ""),
        ("LT. LATERAL ERECT", "LL", "erect"),
        ("L", "LATERAL", ""),
        ("lat", "LATERAL", ""),
        ("XTABLE LATERAL", "LATERAL", "supine"),
        ("Cross-table lateral", "LATERAL", "supine"),
        ("Frontal", "FRONTAL", ""),
        ("PA/AP", "FRONTAL", ""),
        ("frontal PA", "PA", ""),
        ("PA and lateral", "unknown", ""),
        ("CHEST (PA AND LAT)", "unknown", ""),
        ("", "unknown", ""),
        ("UNK", "unknown", ""),
        ("portable", "unknown", ""),
        ("Supine", "unknown", "supine"),
        ("AP LLD", "OTHER", "left decubitus"),
        ("Right lateral decubitus", "OTHER", "right decubitus"),
        ("decubitus", "OTHER", "decubitus"),
        ("AP AXIAL", "OTHER", ""),
        ("AP lordotic", "OTHER", ""),
        ("Axial", "OTHER", ""),
        ("LPO", "OTHER", ""),
        ("COSTAL", "OTHER", ""),
        ("not PA", "OTHER", ""),
        ("gonzo", "", ""),
        ("Portátil AP", "AP", ""),
    ],
)
def test_projection_and_position_are_read_apart(words, projection, position):
    assert read_view(words) == (projection, position)


def test_codes_of_the_standard():
    assert projection_of_code("272479007") == projection_of_code("R-40888") == "PA"
    assert projection_of_code("399033003") == "FRONTAL"
    assert projection_of_code("399135007") == "OTHER"
    assert projection_of_code("1234") == ""
    assert position_of_code("40199007") == position_of_code("F-10340") == "supine"
    assert position_of_code("102539006") == "semi-erect"
    assert position_of_code("1234") == ""

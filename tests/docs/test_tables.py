from docs.tools.tables import table


def test_table():
    assert table(["a", "b"], [["x", 1234], ["y", 0.25]]) == "| a | b |\n| --- | --- |\n| x | 1,234 |\n| y | 0.25 |"

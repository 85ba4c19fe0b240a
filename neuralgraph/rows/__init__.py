"""What tables say of a study.

``columns`` (which there are), ``facts`` (rows, as plain values) and ``tables`` (Arrow tables of rows).
"""

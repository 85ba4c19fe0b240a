"""What tables say of a study.

- ``columns``: what tables there are and their columns
- ``facts``: rows as plain values
- ``tables``: Arrow tables of rows
"""

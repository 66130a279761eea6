"""Catalogue of faults (F01, …) and attacks (A01, …), each with the tests that prove what holds.

A test proves a row by a mark of its id, `@pytest.mark.F18`; `pytest --markers` lists the rows, and
a mark of an unknown id is an error. `make chaos ID=F18` and `make attacks ID=A33` run its tests.

    [F18]
    tried = "Redis is killed under load"
    holds = "No accepted run is lost; …"
    absent = "reason"  # of a row that has nothing to test here
"""

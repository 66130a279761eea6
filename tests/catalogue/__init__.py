"""Catalogue of faults (F01, …) and attacks (A01, …), each with the tests that prove what holds.

A test proves a row by a mark of its id, `@pytest.mark.F18`; `pytest --markers` lists the rows, and
a mark of an unknown id is an error. `make chaos ID=F18` and `make attacks ID=A33` run its tests.

    [F18]
    group = "Redis"
    tried = "Redis is killed under load"
    holds = "No accepted run is lost; …"
    absent = "reason"  # of a row that has nothing to test here

A91a, A91b, … are parts of A91; `make attacks ID=A91` runs all of them.

A test tells figures to the reliability report by `record_property("recovery_p99_seconds", 3.1)`.
Of a test's runs that held, the report keeps the figures of the one with the largest counts; names
with a unit are no counts (`records.NO_COUNTS`). `figures.SUMS` are summed over all tests.

    make chaos ID=F18    runs tests, and puts their results into build/proofs (`runs.py`)
    make report          merges them into docs/reliability-report.json (`records.py`), the last run
                         of each row, and writes docs/reliability-report.md (`report.py`)

Any other target that runs rows calls `python -m tests.catalogue` as well, to be in the report.
"""

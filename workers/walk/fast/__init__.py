"""Fast path of small runs: it serves speed alone, and without this folder each run is claimed.

`workers/walk/walker.py` finds the folder by import; `tests/workers/walk/test_without_fast_path.py`
runs the tests of the walk without it. `make bench BENCH='--only W1 --systems Headrace'`, with the
folder and with the folder moved away in turn, measures both tricks together: 0.47 ms and 0.72 ms of
processor in all processes for a run of W1 (medians of six, on a busy machine of two cores).

- `fast_path`: a small run is walked while its hint is read, and claimed and ended by one script.
  W1 p50 0.89 ms with it, 1.06 ms without; processor of the worker 195 µs and 286 µs a run.
- `pure_plans`: such a walk is one loop over what is prepared once for each plan. A walk of W1 takes
  4.1 µs with it and 10.9 µs without, of W3 17.4 µs and 186 µs; W3 p50 0.91 ms and 1.32 ms.

- `pure_children`: children of pure nodes are walked as they begin. A For Each over 1,000 texts, of
  which 10 may run at once, takes 0.6 s with it and 1.4 to 3.7 s without, on a busy machine.

The figures of the first two alone are those of `docs/benchmarks/changes.md`.
"""

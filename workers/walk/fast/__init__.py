"""Fast path of small runs: it serves speed alone, and without this folder each run is claimed.

`workers/walk/walker.py` finds the folder by import; `tests/workers/walk/test_without_fast_path.py`
runs the tests of the walk without it. Measure each figure on the machine in question with
`make bench BENCH='--only W1 --systems Headrace'`, with the folder and without it in turn.

- `fast_path`: a small run is walked while its hint is read, and claimed and ended by one script.
  W1 p50 1.06 ms without, 0.89 ms with it; processor of the worker 286 µs and 195 µs a run.
- `pure_plans`: such a walk is one loop over what is prepared once for each plan. A walk of W1 takes
  10.9 µs without and 4.1 µs with it, of W3 186 µs and 17.4 µs; W3 p50 1.32 ms and 0.91 ms.
"""

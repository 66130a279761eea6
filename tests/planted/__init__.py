"""Faults planted into a copy of the code: do the tests of the catalogue's rows catch them?

`make planted` plants one after the other, runs the tests of its rows, and tells which were not
caught. `faults.toml` has them: a text of a file that is replaced by another.
"""

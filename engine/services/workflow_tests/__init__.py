"""Tests of workflows: their checks, their runs and their verdicts."""

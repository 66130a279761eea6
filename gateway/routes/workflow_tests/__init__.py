"""Tests of workflows: list, read, save, delete and run them."""

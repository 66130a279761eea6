"""Graphs: documents, their parsing, plans, and the progress of a run through a plan."""

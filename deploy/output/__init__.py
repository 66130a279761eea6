"""Output of commands: one JSON value for programs, tables for people."""

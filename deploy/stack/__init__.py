"""The processes of a stack on one machine."""

"""Admission: bounds on the load that one gateway process takes."""

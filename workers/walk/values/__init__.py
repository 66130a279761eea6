"""Values of a run: inputs, outputs, their sizes, and the memory that they take."""

"""Resources of one process: memory, caches, settings of the interpreter."""

"""Model providers: one module for each dialect, jobs, streaming and limits."""

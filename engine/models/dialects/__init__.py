"""The sections that say how a model is called, each read into what its dialect needs."""

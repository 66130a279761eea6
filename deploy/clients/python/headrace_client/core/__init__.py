"""Logic of the client without input and output: flows yield requests and pauses to a driver."""

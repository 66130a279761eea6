"""The domain of Headrace, independent of HTTP and workers."""

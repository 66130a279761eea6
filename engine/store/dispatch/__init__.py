"""Dispatch of work: hints in queues, their selection, and the leases of workers."""

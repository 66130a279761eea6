"""The commands as clients of the HTTP API: whom they call, and what they send and show."""

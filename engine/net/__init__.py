"""Network policy and formats: URLs, addresses, headers, server-sent events."""

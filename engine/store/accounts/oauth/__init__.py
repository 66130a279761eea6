"""OAuth: clients of people, their requests for a grant, and the codes that become API keys."""

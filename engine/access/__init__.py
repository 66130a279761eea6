"""Access: capabilities of keys, terms of tiers, and secrets sealed at rest."""

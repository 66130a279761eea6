"""Redis's side of the history: what has ended and is not archived, and its removal afterwards."""

"""Redis's side of the history: ended records that are not archived, and their later removal."""

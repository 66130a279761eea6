"""PDFs: words with their places, tables by rules and gaps, and columns in reading order."""

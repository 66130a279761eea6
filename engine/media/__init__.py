"""Media: formats, durations, links, byte ranges and object stores of assets."""

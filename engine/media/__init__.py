"""Media: names, formats, links and byte ranges of assets, all of it pure."""

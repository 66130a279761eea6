"""Generator of the dashboards, for development alone: wheels carry the JSON files it writes."""

"""Office documents: ZIP files of XML, read part by part within a budget of inflated bytes."""

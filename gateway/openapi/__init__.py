"""The OpenAPI document, built from the routes and their types."""

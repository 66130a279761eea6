"""The OpenAPI document, made of the routes and their types."""

"""The API described: operations, shapes, errors, examples, and the documents made of them."""

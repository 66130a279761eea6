"""Media of accounts, as nodes and models read and store them."""

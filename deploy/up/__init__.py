"""`headrace up`: the whole stack in the foreground, from the first start to the last stop."""

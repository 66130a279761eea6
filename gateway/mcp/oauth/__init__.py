"""OAuth for clients of people: the owner of an account grants a client a key."""

"""Assets by command: upload, list, read and save."""

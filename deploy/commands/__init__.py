"""The commands of `headrace`, one module each; what is heavy to import is imported when it runs."""

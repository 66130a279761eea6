"""Commands of `headrace`, one module each, imported when one of them is called."""

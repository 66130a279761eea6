"""How the parts are run: the `headrace` command and its supervisor; it alone knows all three."""

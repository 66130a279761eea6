"""Commands of `headrace`, one module each; heavy imports happen when a command runs."""

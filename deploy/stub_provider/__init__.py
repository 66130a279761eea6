"""Development server that speaks the protocols of model providers, with made-up answers."""

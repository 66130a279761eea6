"""A development server that speaks the protocols of model providers, with answers made up here."""

"""Documents as media: their types, and checks while their bytes pass."""

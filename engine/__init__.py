"""The domain of Headrace; it knows neither HTTP nor workers."""

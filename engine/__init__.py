"""The domain of Headrace: graphs, executions, the store and the queue; it knows neither HTTP nor workers."""

"""HTTP itself: types of requests and answers."""

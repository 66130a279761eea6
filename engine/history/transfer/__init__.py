"""Transfer of a whole history, out of one database and into another of either kind."""

"""Keys of which each partition has one: searches and sums over all partitions."""

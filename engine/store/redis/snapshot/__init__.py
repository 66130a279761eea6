"""Snapshots of whole servers: their reading by replication, and the copying of their keys."""

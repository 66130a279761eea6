"""Use cases of workflows: drafts, checks, saves and publication."""

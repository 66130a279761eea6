"""Use cases of runs: acceptance, drafts, retries and recorded values."""

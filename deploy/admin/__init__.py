"""Administration: accounts, ledgers, manifests, documents and checks."""

"""`python -m deploy` is the `headrace` command, however it was installed."""

from deploy.cli import main

main()

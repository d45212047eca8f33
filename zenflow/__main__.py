"""`python -m zenflow`: the same as the command `zenflow`."""

from zenflow.cli.main import main

main()

"""The subcommands of `lamplight`, one file each; cli.py has the table of them."""

"""The subcommands of `lamplight`, one file each; main.py has the table of them."""

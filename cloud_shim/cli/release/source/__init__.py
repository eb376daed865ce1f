"""Source distributions in pure Python, built into wheels in a confined process: `--allow-build`."""

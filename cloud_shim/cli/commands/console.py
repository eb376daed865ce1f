"""`lamplight console`: a link that opens the console in a browser, signed in."""

from cloud_shim.cli.options import Options, command


@command("console")
def run(options: Options) -> None:
    """Give a link that signs a browser in for a week. It is good once, for a quarter of an hour."""
    link = options.client.link()
    options.terminal.data({"link": link}, [(link, "bold")])

"""`lamplight demo`: the whole loop without hands."""

from cloud_shim.cli.options import Options, command


@command("demo")
def run(options: Options) -> None:
    """Show light, deploys, a model, offline work and a reverted crash on a simulated board; fails when a step does."""
    from cloud_shim.cli.demo import session

    session.run(options.terminal)

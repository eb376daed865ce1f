"""The console: pages that a person opens in a browser. `routes()` is all that the app needs of it.

The pages show what docs/api.md gives and do what it takes; they know neither the database nor the broker.
"""

from cloud_shim.console.pages import missing_page, routes

__all__ = ["missing_page", "routes"]

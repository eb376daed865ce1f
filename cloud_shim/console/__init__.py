"""The console: pages for a person's browser. The app needs only its `routes()`.

The pages show the answers of docs/api.md and make its requests. They know neither the database nor the broker.
"""

from cloud_shim.console.pages import missing_page, refused, routes

__all__ = ["missing_page", "refused", "routes"]

"""The route of a request, among templates with names in braces."""

import pytest

from device.runtime.worker.clouds import routes

TABLE = ["GET /items", "GET /items/{id}", "GET /items/new", "ANY /items/{id}", "GET /{proxy+}", "POST /a/{b}/c/{d}"]


@pytest.mark.parametrize(
    ("method", "path", "route", "values"),
    [
        ("GET", "/items", "GET /items", {}),
        ("GET", "/items/", "GET /items", {}),
        ("GET", "/items/7", "GET /items/{id}", {"id": "7"}),
        ("GET", "/items/new", "GET /items/new", {}),
        ("DELETE", "/items/7", "ANY /items/{id}", {"id": "7"}),
        ("GET", "/items/7/parts", "GET /{proxy+}", {"proxy": "items/7/parts"}),
        ("POST", "/a/1/c/2", "POST /a/{b}/c/{d}", {"b": "1", "d": "2"}),
    ],
)
def test_the_most_particular_route_wins(method, path, route, values):
    found = routes.find(TABLE, method, path)
    assert found is not None
    assert (f"{found.method} {found.path}", found.values) == (route, values)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/items"), ("GET", "/"), ("POST", "/a//c/2"), ("POST", "/a/1/c")]
)
def test_there_may_be_none(method, path):
    assert routes.find(TABLE, method, path) is None

"""What a function's code imports says what it needs: packages that its cloud's runtime brings, and the network."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from device.protocol.cloud import AWS, TENCENT

# Packages of the clouds' own runtimes, by their modules; a board brings none of them.
BROUGHT = {
    AWS: {"boto3": "boto3", "botocore": "botocore", "urllib3": "urllib3", "dateutil": "python-dateutil"},
    TENCENT: {
        "requests": "requests",
        "qcloud_cos": "cos-python-sdk-v5",
        "tencentcloud": "tencentcloud-sdk-python",
        "urllib3": "urllib3",
    },
}
_NETWORK = frozenset(
    [
        *("aiohttp", "asyncpg", "boto3", "botocore", "ftplib", "http.client", "httpx", "psycopg", "psycopg2"),
        *("pymongo", "pymysql", "qcloud_cos", "redis", "requests", "smtplib", "socket", "tencentcloud"),
        *("urllib.request", "urllib3"),
    ]
)


def of(folder: Path, names: Iterable[str]) -> set[str]:
    """The modules imported by these files, with their packages: "urllib.request" and "urllib"."""
    found: set[str] = set()
    for name in names:
        if name.endswith(".py"):
            found.update(_imports((folder / name).read_bytes()))
    return found


def networked(modules: set[str]) -> list[str]:
    """Those that are of use with a network only."""
    return sorted(modules & _NETWORK)


def brought(modules: set[str], runtime: str) -> list[str]:
    """The packages to be named in requirements.txt."""
    return sorted({package for module, package in BROUGHT[runtime].items() if module in modules})


def _imports(source: bytes) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from (alias.name, alias.name.partition(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (
                node.module,
                node.module.partition(".")[0],
                *(f"{node.module}.{each.name}" for each in node.names),
            )

"""Who listens on a port."""

import os
import socket
import sys

import pytest

from device import port_holder


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")
def test_the_process_that_listens_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert f"process {os.getpid()} " in port_holder.holder(taken.getsockname()[1])


def test_nobody_holds_a_port_that_was_let_go_of():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert port_holder.holder(port) == ""

"""Talks to the broker that the event names by its port and by the path of its Unix socket, and to the wire itself."""

import socket


def tcp(port, path):
    socket.create_connection(("127.0.0.1", port), 5).close()


def udp(port, path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.sendto(b"x", ("127.0.0.1", port))


def unix(port, path):
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(path)


def abstract(port, path):
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(f"\0lamplight-{port}")


def packet(port, path):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def raw(port, path):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


def attempt(way, target):
    try:
        way(*target)
    except OSError as error:
        return str(error)
    return ""


def handler(event, context):
    return {way.__name__: attempt(way, event.data) for way in (tcp, udp, unix, abstract, packet, raw)}

"""Logs without end."""


def handler(event, context):
    while True:
        print("flood")

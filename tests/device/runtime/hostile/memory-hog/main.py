"""Takes memory for good."""

kept = []


def handler(event, context):
    while True:
        kept.append(bytearray(1 << 20))

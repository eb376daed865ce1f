"""The command `lamplight` and all its parts. It reaches the shim by its HTTP interface only.

main        the table of commands, and how their errors end; commands/ has one file each
options, terminal, lines, live, following    shared by the commands: their options and their output
client      requests to the HTTP interface; outcome tells the fate of a deployment
release/    from a folder on this machine to a release: packed, its packages resolved, signed and pushed
keys/       the keys for releases, when they are on this machine
up/, demo/, doctor/, starters/    whole commands of more than one file
testing     the pytest plugin of `lamplight test`
"""

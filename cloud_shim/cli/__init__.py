"""What a person runs: the command `lamplight` and all that is its own. It reaches the shim by its HTTP interface only.

main        which commands there are, and how their errors end; commands/ has one file each
options, terminal, lines, live, following    what commands share: their options, and what they print
client      the HTTP interface, asked; outcome says what became of a deployment
release/    from a folder on this machine to a release: packed, its packages resolved, signed and pushed
keys/       the keys for releases, when they are on this machine
up/, demo/, doctor/, starters/    whole commands that need more than one file
testing     the pytest plugin of `lamplight test`
"""

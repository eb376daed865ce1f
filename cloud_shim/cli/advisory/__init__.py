"""Reads the subject of a search for exposed boards: a package on the command line, or a published advisory's file.

affected    the value: packages, each with its versions
wanted      PACKAGE[==VERSION] or a file → the value
osv         an OSV record (ossf.github.io/osv-schema) → the value
cve         a CVE record of version 5 (cveproject.github.io/cve-schema) → the value
"""

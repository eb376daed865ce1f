"""Makes a forked process look freshly started to the function's code: nothing of the zygote's run shows.

The zygote has run code of its own before it forked, and Python's modules keep some results of that. Each one with a
bearing on a function is forgotten here. The modules themselves stay imported: sharing them is what a zygote is for.
"""

import os
import site
import sys
import time
from types import ModuleType

# Found out at first use, and kept: the folder of temporary files and their names, and the name of the machine.
_KEPT = (("tempfile", "tempdir"), ("tempfile", "_name_sequence"), ("platform", "_uname_cache"))


def settle(name: str, home: str, code: str) -> None:
    """Give this process the environment of the function `name`, and take the zygote's traces away.

    `home` is its scratch folder, `code` the file of its handler. Before its confinement.
    """
    os.environ.update(HOME=home, TMPDIR=home, LOGNAME=name, USER=name)
    for module, kept in _KEPT:
        if module in sys.modules:
            setattr(sys.modules[module], kept, None)
    # These depend on HOME.
    site.USER_BASE = site.USER_SITE = None
    site.getusersitepackages()
    sys.argv[:] = [code]
    sys.orig_argv[:] = [sys.executable, *sys.argv]
    # As in an interpreter without a script: a child made by multiprocessing would run the zygote's again.
    sys.modules["__main__"] = ModuleType("__main__")
    # The C library looks at the zone once, and somebody may have set another since.
    time.tzset()

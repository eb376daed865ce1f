"""Whether a function can read a file that was put: on most boards it is a user of its own, one of the others. Pure.

Only the mode is judged; an access control list may say more.
"""

import os
import pwd
import stat


def hindrance(file: os.stat_result, folder: os.stat_result, user: int | None) -> str:
    """Why a function cannot read `file` in `folder`, for a person; "" when it can.

    `user` is the one that functions share with the agent; None where they have users of their own.
    """
    if not _may(file, user, stat.S_IROTH, stat.S_IRUSR):
        return (
            f"it belongs to {_name(file.st_uid)}, and its mode {stat.S_IMODE(file.st_mode):o} lets nobody else read it"
        )
    if not _may(folder, user, stat.S_IXOTH, stat.S_IXUSR):
        mode = stat.S_IMODE(folder.st_mode)
        return f"its folder belongs to {_name(folder.st_uid)}, and the mode {mode:o} lets nobody else look into it"
    return ""


def _may(status: os.stat_result, user: int | None, others: int, owner: int) -> bool:
    return bool(status.st_mode & (owner if user == status.st_uid else others))


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"

"""The limits that a worker finds itself under."""

from pathlib import Path

from device.sandbox import rlimits


def probe(bench, expression):
    code = f"import os, resource\ndef handler(event, context): return {expression}"
    bench.run(bench.function(code, toml='memory = "8M"'))
    return bench.supervisor.call("f", None)


def test_a_worker_is_under_its_limits(bench):
    names = ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_FSIZE")
    limits = probe(bench, f"[resource.getrlimit(getattr(resource, n)) for n in {names}]")
    # As large as the scratch folder.
    most = [0, rlimits.OPEN_FILES, 16 << 20]
    assert limits == [[each, each] for each in most]


def test_a_worker_cannot_gain_privileges_and_leads_its_own_session(bench):
    status = "[l.split()[1] for l in open('/proc/self/status') if l.startswith('NoNewPrivs')]"
    assert probe(bench, f"[{status}, os.getsid(0) == os.getpid()]") == [["1"], True]


KEEPS = """
def handler(event, context):
    try:
        open('/proc/self/oom_score_adj', 'w').write('0')
    except OSError:
        pass
    return int(open('/proc/self/oom_score_adj').read())
"""


def test_when_memory_runs_out_the_kernel_ends_workers_first_and_they_cannot_change_that(bench):
    bench.run(bench.function(KEEPS))
    assert bench.supervisor.call("f", None) > max(0, int(Path("/proc/self/oom_score_adj").read_text()))


def test_a_file_beyond_its_limit_is_an_error_and_not_the_end(bench):
    write = "open('big', 'wb').truncate(1 << 30)"
    code = f"def handler(event, context):\n    try: {write}\n    except OSError as error: return str(error)"
    bench.run(bench.function(code))
    assert "File too large" in bench.supervisor.call("f", None)


# 60 MiB of a file, mapped to be read, again and again: no private memory, but page tables.
MAPS = """
import mmap
def handler(event, context):
    size, maps = 60 << 20, []
    with open('big', 'wb') as file:
        file.truncate(size)
    with open('big', 'rb') as file:
        try:
            while len(maps) < 2000:
                maps.append(mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ))
        except (OSError, MemoryError):
            pass
    count = len(maps)
    for each in maps:
        each.close()
    return count * size
"""


def test_page_tables_are_bounded_by_the_address_space(bench):
    bench.run(bench.function(MAPS, toml='memory = "8M"\nscratch = "64M"'))
    mapped = bench.supervisor.call("f", None)
    assert rlimits.ADDRESS_SPACE // 2 < mapped < rlimits.ADDRESS_SPACE + (1 << 30)

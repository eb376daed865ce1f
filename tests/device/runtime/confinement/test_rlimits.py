"""The limits that a worker finds itself under, and what is said of them."""

from device.runtime.confinement import rlimits

STATUS = "Name:\tpython3\nVmSize:\t  20000 kB\nVmData:\t    1234 kB\nThreads:\t1\n"


def probe(bench, expression):
    code = f"import os, resource\ndef handler(event, context): return {expression}"
    bench.run(bench.function(code, toml='memory = "8M"'))
    return bench.supervisor.call("f", None)


def test_the_size_of_private_data_is_read_in_bytes():
    assert rlimits.data_size(STATUS) == 1234 * 1024
    assert rlimits.data_size("") == 0


def test_a_worker_is_under_its_limits(bench):
    names = ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_FSIZE")
    limits = probe(bench, f"[resource.getrlimit(getattr(resource, n)) for n in {names}]")
    # As large as the scratch folder.
    most = [0, rlimits.OPEN_FILES, 16 << 20]
    assert limits == [[each, each] for each in most]


def test_a_worker_cannot_gain_privileges_and_leads_its_own_session(bench):
    status = "[l.split()[1] for l in open('/proc/self/status') if l.startswith('NoNewPrivs')]"
    assert probe(bench, f"[{status}, os.getsid(0) == os.getpid()]") == [["1"], True]


def test_a_file_beyond_its_limit_is_an_error_and_not_the_end(bench):
    write = "open('big', 'wb').truncate(1 << 30)"
    code = f"def handler(event, context):\n    try: {write}\n    except OSError as error: return str(error)"
    bench.run(bench.function(code))
    assert "File too large" in bench.supervisor.call("f", None)

"""Going back."""


def test_it_waits_for_the_new_generation(shim, run, device):
    shim.answers["POST /api/devices/desk-pi/rollback"] = {"generation": 1}
    shim.answers["GET /api/devices/desk-pi"] = device()
    code, out, _ = run("rollback", "desk-pi")
    assert code == 0
    assert "generation 1 COMMITTED" in out


def test_nothing_to_go_back_to_is_a_rejection(shim, run):
    shim.refuse("POST /api/devices/desk-pi/rollback", 422, 5, "There is nothing to go back to")
    assert run("rollback", "desk-pi")[0] == 5

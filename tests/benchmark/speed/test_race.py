"""Methods are timed in turns and compared turn by turn."""

from __future__ import annotations

from benchmark.speed.race import Method, NotAvailable, race, timed, times_as_fast


def test_methods_run_in_turns_and_the_warm_up_does_not_count() -> None:
    ran = []

    def run(name: str) -> dict[str, float]:
        ran.append(name)
        return {"wall": float(len(ran))}

    methods = {name: Method(name, 1.0, lambda name=name: run(name)) for name in "ab"}  # type: ignore[misc]
    race(methods, 2, warm_up=True, progress=False)
    assert "".join(ran) == "ababab"
    assert methods["a"].times == {"wall": [3.0, 5.0]} and methods["b"].times == {"wall": [4.0, 6.0]}


def test_a_method_that_is_not_available_runs_once_and_has_no_times() -> None:
    ran = []

    def run() -> dict[str, float]:
        ran.append(1)
        raise NotAvailable("not installed")

    method = Method("", 1.0, run)
    race({"missing": method}, 3, progress=False)
    assert (len(ran), method.missing, method.times) == (1, "not installed", {})


def test_a_ratio_is_the_median_over_turns() -> None:
    # The machine is ten times as slow in the second turn, for both.
    assert times_as_fast([1.0, 10.0, 1.0], [0.5, 5.0, 0.5]) == 0.5


def test_work_is_timed() -> None:
    method = Method("sum", 1.0, timed(lambda: sum(range(200_000))))
    method.turn()
    assert 0 < method.times["cpu"][0] < 5
    assert method.speeds("wall") == [1 / method.times["wall"][0]]

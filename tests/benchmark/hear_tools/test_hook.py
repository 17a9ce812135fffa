"""HEAR's tools on today's Python: the layer, on small packages of the same names and on the real ones."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from benchmark.hear_tools import __main__ as installer
from benchmark.hear_tools import hook

#: Modules that do what HEAR's do at the places where the layer mends them.
PACKAGES = {
    "heareval/__init__.py": "",
    "heareval/embeddings/__init__.py": "",
    "heareval/embeddings/task_embeddings.py": """
        import tensorflow as tf
        def is_tensorflow(model):
            return isinstance(model, tf.Module)
        """,
    "heareval/embeddings/runner.py": """
        import sys
        import tensorflow as tf
        from heareval.embeddings.task_embeddings import is_tensorflow
        print("runner", __name__, is_tensorflow(3), "tensorflow" in sys.modules)
        """,
    "heareval/gpu_max_mem.py": """
        from pynvml import nvmlDeviceGetName
        def device_name():
            return nvmlDeviceGetName(0).decode("utf-8")
        """,
    "heareval/predictions/__init__.py": "",
    "heareval/predictions/task_predictions.py": """
        import os
        import pytorch_lightning as pl
        class AbstractPredictionModel(pl.LightningModule):
            def _step(self, batch, batch_idx):
                return batch * 10
            def validation_step(self, batch, batch_idx):
                return self._step(batch, batch_idx)
            def test_step(self, batch, batch_idx):
                return self._step(batch, batch_idx)
            def _score_epoch_end(self, name, outputs):
                self.scored = name, outputs
            def validation_epoch_end(self, outputs):
                self._score_epoch_end("val", outputs)
            def test_epoch_end(self, outputs):
                self._score_epoch_end("test", outputs)
        def task_predictions_train(trainer=None):
            return os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
        def task_predictions_test(trainer):
            trainer.fit_loop.current_epoch = 7
            return os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
        """,
    "hearvalidator/__init__.py": "",
    "hearvalidator/validate.py": """
        import tensorflow as tf
        version = getattr(tf, "__version__", None)
        """,
    "dcase_util/__init__.py": "",
    "dcase_util/utils/__init__.py": "from .utils import where",
    "dcase_util/utils/utils.py": """
        import pkg_resources
        def where():
            return pkg_resources.resource_filename(__name__, "x.wav")
        """,
    "pynvml.py": "def nvmlDeviceGetName(handle): return 'GPU of 2026'",
}

#: What the layer uses of Lightning, as it is in each line.
LIGHTNING = """
    from types import SimpleNamespace
    __version__ = "{version}"
    class FitLoop:
        def __init__(self):
            self.epoch_progress = SimpleNamespace(current=SimpleNamespace(completed=0))
    class Trainer:
        def __init__(self, accelerator=None, devices=None, max_epochs=None):
            self.accelerator, self.devices, self.max_epochs = accelerator, devices, max_epochs
            self.fit_loop = FitLoop()
        @property
        def current_epoch(self):
            return self.fit_loop.epoch_progress.current.completed
    class LightningModule:
        {epoch_end}
    """

USE_PREDICTIONS = """
    import os
    import pytorch_lightning as pl
    from heareval.predictions import task_predictions as tp
    trainer = tp.pl.Trainer(gpus=None, max_epochs=3)
    assert (trainer.accelerator, trainer.devices, trainer.max_epochs) == ("cpu", 1, 3)
    trainer = tp.pl.Trainer(gpus=[0])
    assert (trainer.accelerator, trainer.devices) == ("gpu", [0])
    assert isinstance(trainer, pl.Trainer)
    assert tp.task_predictions_train() == "1" and tp.task_predictions_test(trainer) == "1"
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD" not in os.environ
    assert trainer.current_epoch == 7
    assert not hasattr(pl.FitLoop, "current_epoch") and tp.pl is not pl and tp.pl.FitLoop is pl.FitLoop
    model = tp.AbstractPredictionModel()
    """


def write_packages(folder: Path, packages: dict[str, str]) -> None:
    for name, source in packages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages with the layer installed into it."""
    write_packages(tmp_path, PACKAGES)
    installer.install(tmp_path)
    return tmp_path


def python(site: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with ``site`` as its only site-packages folder, ``.pth`` files and all."""
    start = f"import site, sys; site.addsitedir({str(site)!r}); sys.path.insert(0, {str(site)!r}); "
    if arguments[0] == "-m":
        code = f"{start}import runpy; sys.argv[1:] = {list(arguments[2:])!r}; "
        code += f"runpy.run_module({arguments[1]!r}, run_name='__main__', alter_sys=True)"
    else:
        code = start + "\n" + textwrap.dedent(arguments[0])
    # This environment may have the real packages, so not its site-packages (-S) and no PYTHON variables (-I).
    command = [sys.executable, "-I", "-S", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


def check(site: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = python(site, code, **environment)
    assert done.returncode == 0, done.stderr
    return done


def test_stand_in_for_tensorflow_is_seen_by_hears_tools_alone(site: Path) -> None:
    done = check(
        site,
        """
        import hearvalidator.validate, heareval.embeddings.task_embeddings as embeddings
        assert embeddings.is_tensorflow(object()) is False
        assert "tensorflow" not in sys.modules
        try:
            import tensorflow
        except ModuleNotFoundError:
            print("not to be had")
        """,
    )
    assert (done.stdout, done.stderr) == ("not to be had\n", "")


def test_the_installed_layer_and_that_of_the_repository_get_along(site: Path) -> None:
    root = Path(installer.__file__).parents[2]
    done = check(
        site,
        f"""
        sys.path.append({str(root)!r})
        from benchmark.hear_tools import hook
        count = len(sys.meta_path)
        hook.install()
        assert len(sys.meta_path) == count
        sys.meta_path.insert(0, hook.Finder())
        import heareval.embeddings.task_embeddings as embeddings
        assert embeddings.is_tensorflow(object()) is False
        """,
    )
    assert done.stderr == ""


def test_module_run_as_a_command_is_mended_too(site: Path) -> None:
    done = python(site, "-m", "heareval.embeddings.runner")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "runner __main__ False False\n"


def test_real_tensorflow_wins(site: Path) -> None:
    write_packages(site, {"tensorflow/__init__.py": "__version__ = '2.99'\nclass Module: pass"})
    check(site, "import hearvalidator.validate as validate; assert validate.version == '2.99'")


def test_broken_tensorflow_is_not_hidden(site: Path) -> None:
    write_packages(site, {"tensorflow/__init__.py": "import its_missing_part"})
    done = python(site, "import hearvalidator.validate")
    assert done.returncode == 1 and "No module named 'its_missing_part'" in done.stderr


def test_stand_in_says_what_it_is_when_more_is_asked_of_it() -> None:
    with pytest.raises(AttributeError, match="tensorflow is not installed.*'device'"):
        hook.stand_in("tensorflow").device("cpu")


def test_stand_in_for_pkg_resources(site: Path) -> None:
    done = check(site, "import dcase_util.utils; print(dcase_util.utils.where())")
    assert Path(done.stdout.strip()) == site / "dcase_util" / "utils" / "x.wav"
    write_packages(site, {"pkg_resources.py": "def resource_filename(package, resource): return 'the real one'"})
    assert check(site, "import dcase_util.utils; print(dcase_util.utils.where())").stdout == "the real one\n"


def test_line_numbers_stay(site: Path) -> None:
    write_packages(site, {"hearvalidator/validate.py": "import tensorflow as tf\n\n\n1 / 0  # line 4\n"})
    assert 'validate.py", line 4' in python(site, "import hearvalidator.validate").stderr


def test_gpu_name_as_text_or_bytes(site: Path) -> None:
    use = "from heareval.gpu_max_mem import device_name; print(device_name())"
    assert check(site, use).stdout == "GPU of 2026\n"
    write_packages(site, {"pynvml.py": "def nvmlDeviceGetName(handle): return b'GPU of 2021'"})
    assert check(site, use).stdout == "GPU of 2021\n"


def test_predictions_beside_lightning_2(site: Path) -> None:
    write_packages(site, {"pytorch_lightning.py": LIGHTNING.format(version="2.6.6", epoch_end="pass")})
    check(
        site,
        textwrap.dedent(USE_PREDICTIONS)
        + textwrap.dedent(
            """
            assert not hasattr(model, "validation_epoch_end") and not hasattr(model, "test_epoch_end")
            for _ in range(2):  # an epoch starts with nothing from the one before it
                model.on_validation_epoch_start()
                assert model.validation_step(1, 0) is None and model.validation_step(2, 1) is None
                model.on_validation_epoch_end()
                assert model.scored == ("val", [10, 20])
            model.on_test_epoch_start(); model.test_step(3, 0); model.on_test_epoch_end()
            assert model.scored == ("test", [30])
            """
        ),
    )


def test_predictions_beside_lightning_1(site: Path) -> None:
    epoch_end = "def validation_epoch_end(self, outputs): pass"
    write_packages(site, {"pytorch_lightning.py": LIGHTNING.format(version="1.9.5", epoch_end=epoch_end)})
    check(
        site,
        textwrap.dedent(USE_PREDICTIONS)
        + textwrap.dedent(
            """
            model.validation_epoch_end([model.validation_step(1, 0)])
            assert model.scored == ("val", [10])
            """
        ),
    )


def test_says_what_it_did_only_when_asked(site: Path) -> None:
    use = "import hearvalidator.validate"
    assert check(site, use).stderr == ""
    said = check(site, use, HEAR_TOOLS_VERBOSE="1").stderr
    assert said == "hear_tools: tensorflow: stand-in for hearvalidator.validate\n"


def test_start_imports_nothing_but_the_hook(site: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "other.pth").write_text("import sys\n")  # What Python itself imports to read such a file does not count.
    count = f"""
        import sys, site
        site.addsitedir({str(other)!r})
        before = set(sys.modules)
        site.addsitedir({str(site)!r})
        print(*set(sys.modules) - before)
        """
    command = [sys.executable, "-I", "-S", "-c", textwrap.dedent(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "hear_tools_hook" in done.stdout.split()
    assert set(done.stdout.split()) <= {"hear_tools_hook", "__future__"}


@pytest.mark.parametrize("damage", ["raise RuntimeError('broken')", "def half(", None])
def test_broken_or_missing_hook_is_silent(site: Path, damage: str | None) -> None:
    hook_file = site / installer.HOOK_NAME
    hook_file.unlink()
    if damage is not None:
        hook_file.write_text(damage)
    done = check(site, "print('started')")
    assert (done.stdout, done.stderr) == ("started\n", "")


def test_uninstall_leaves_nothing(site: Path, tmp_path: Path) -> None:
    assert (site / installer.PTH_NAME).is_file()
    check(site, "import hearvalidator.validate, dcase_util.utils")
    assert {path.name for path in installer.uninstall(site)} == {installer.PTH_NAME, installer.HOOK_NAME}
    assert not list(site.rglob("*hear_tools*"))
    # What was compiled while the layer was there must not work on without it.
    done = python(site, "import hearvalidator.validate")
    assert done.returncode == 1 and "No module named 'tensorflow'" in done.stderr
    assert installer.uninstall(site) == []


@pytest.mark.skipif(importlib.util.find_spec("heareval") is None, reason="heareval is not installed (make hear)")
@pytest.mark.slow
def test_real_heareval_is_mended() -> None:
    code = """
        import hearvalidator.validate, heareval.embeddings.task_embeddings
        from heareval.predictions import task_predictions
        assert task_predictions.task_predictions_test.__wrapped__
        assert task_predictions.pl.Trainer(gpus=None, logger=False, max_epochs=1).fit_loop.current_epoch == 0
        """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env={**os.environ, "HEAR_TOOLS_VERBOSE": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "Trainer(gpus=)" in done.stderr


def event(label: str, start: float) -> dict[str, Any]:
    return {"label": label, "start": start, "end": start + 300.0}


TRUTH = {"x.wav": [event("a", 1000), event("b", 2000), event("a", 4000)], "y.wav": [event("b", 500)], "z.wav": []}


FOUND = {"y.wav": [event("b", 650)], "z.wav": [event("a", 0)], "x.wav": [event("a", 1100), event("a", 4300)]}


def test_events_found_at_once_give_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    score = pytest.importorskip("heareval.score", reason="make hear")
    container = score.SoundEventScore.sed_eval_event_container
    looked_through: list[dict[str, Any]] = []
    kind = score.MetaDataContainer
    look_through = kind.filter

    def looked(self: Any, *arguments: Any, **options: Any) -> Any:
        looked_through.append(options)
        return look_through(self, *arguments, **options)

    monkeypatch.setattr(kind, "filter", looked)

    def scores() -> list[Any]:
        looked_through.clear()
        names = ("event_onset_200ms_fms", "event_onset_offset_50ms_20perc_fms", "segment_1s_er")
        return [score.available_scores[name](label_to_idx={"a": 0, "b": 1})(FOUND, TRUTH) for name in names]

    monkeypatch.setattr(score.SoundEventScore, "sed_eval_event_container", staticmethod(container))
    monkeypatch.delenv("HEAR_TOOLS_FAST", raising=False)
    hook.mend_score(score)
    plain = scores()
    assert any("filename" in each for each in looked_through)
    monkeypatch.setenv("HEAR_TOOLS_FAST", "1")
    hook.mend_score(score)
    assert repr(scores()) == repr(plain)
    assert not any(each.get("filename") for each in looked_through)


def test_no_bar_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class FitLoop:
        pass

    class Base:
        def __init__(self, **options: Any) -> None:
            self.options = options
            self.fit_loop = FitLoop()

    trainer = hook.trainer_for_heareval(Base)
    monkeypatch.delenv("HEAR_TOOLS_FAST", raising=False)
    assert "enable_progress_bar" not in trainer().options
    monkeypatch.setenv("HEAR_TOOLS_FAST", "1")
    assert trainer().options["enable_progress_bar"] is False
    assert trainer(enable_progress_bar=True).options["enable_progress_bar"] is True

"""Coverage-guided fuzzing of everything that reads bytes of strangers, with atheris."""

from __future__ import annotations

import importlib.util
import re
import subprocess

from benchmark.faults.fuzz_target import TARGETS
from benchmark.faults.proof import Found, Proof, Settings, start

#: A reading may take so much memory, MB, and so long, s.
MEMORY, SECONDS = 2048, 20


def fuzzed(name: str) -> Proof:
    """The proof for one of :data:`~benchmark.faults.fuzz_target.TARGETS`."""

    def proof(settings: Settings) -> Found:
        target = TARGETS[name]
        found = Found(f"coverage-guided fuzzing of {target.what}")
        if importlib.util.find_spec("atheris") is None:
            found.not_tried = "atheris is not installed"
            return found
        work = settings.work / f"fuzz_{name}"
        corpus, log = work / "corpus", work / "log.txt"
        corpus.mkdir(parents=True, exist_ok=True)
        target.seeds(corpus)
        process = start(
            (
                *("benchmark.faults.fuzz_target", name, str(corpus), f"-artifact_prefix={work}/"),
                *(f"-seed={settings.seed + 1}", f"-max_total_time={round(settings.fuzz_seconds)}"),
                *(f"-rss_limit_mb={MEMORY}", f"-timeout={SECONDS}", "-max_len=65536", "-verbosity=1"),
            ),
            log,
        )
        try:
            code = process.wait(settings.fuzz_seconds + 300)
        except subprocess.TimeoutExpired:
            process.kill()
            found.faults.append("the process hung")
            return found
        text = log.read_text(errors="replace")
        runs = re.findall(r"Done (\d+) runs|^#(\d+)\s", text, re.MULTILINE)
        found.tried = max((int(one or other) for one, other in runs), default=0)
        coverage = re.findall(r"cov: (\d+)", text)
        found.figures = {"branches reached": float(coverage[-1])} if coverage else {}
        kept = [file for file in work.iterdir() if re.match(r"(crash|timeout|oom|leak|slow-unit)-", file.name)]
        if code or kept:
            errors = [
                line for line in text.splitlines() if re.match(r"\w*(Error|Exception|Warning)\b|.*ERROR: lib", line)
            ]
            reason = errors[-1] if errors else f"ended with {code}"
            found.faults.append(f"{', '.join(file.name for file in kept) or 'no input kept'}: {reason}")
        elif not found.tried:
            found.faults.append(f"nothing was run: {text.strip().splitlines()[-1] if text.strip() else 'no output'}")
        return found

    return proof


PROOFS = {f"fuzz-{name}": fuzzed(name) for name in TARGETS}

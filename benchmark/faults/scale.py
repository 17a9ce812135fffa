"""Large collections and long files: memory and open files must not grow."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import soundfile

from benchmark.faults.proof import Found, Settings, collection, last_line, start
from byola_hear.tables import read_table

#: Memory and open files may grow by this share from the first tenth of the work to the last.
GROWTH = 1.15


def memory_and_files(pid: int) -> tuple[int, int] | None:
    """Resident memory of a process, bytes, and its number of open files; None when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        memory = 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))
        return memory, len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, StopIteration):
        return None


def watched(arguments: tuple[str, ...], log: Path) -> tuple[int, list[tuple[int, int]]]:
    """Run a command and sample its memory and open files four times a second.

    Returns:
        The exit code and the samples.
    """
    process, samples = start(arguments, log), []
    while process.poll() is None:
        sample = memory_and_files(process.pid)
        if sample is not None:
            samples.append(sample)
        time.sleep(0.25)
    return process.wait(), samples


def growth(samples: list[tuple[int, int]]) -> tuple[float, float, int, int]:
    """Largest memory and number of files, late over early in the work; and the largest of all.

    Early is the second tenth of the time. Late is a tenth that ends before the last twentieth, in which the table is
    put together: that takes the memory of its batches, however many rows there are.
    """
    tenth = max(len(samples) // 10, 1)
    end = len(samples) - tenth // 2 - 1
    early, late = np.array(samples[tenth : 2 * tenth] or samples), np.array(samples[end - tenth : end] or samples)
    memory, files = late.max(0) / early.max(0)
    most = np.array(samples).max(0)
    return float(memory), float(files), int(most[0]), int(most[1])


def many(settings: Settings) -> Found:
    """Thousands of files of real sound."""
    found = Found(f"`byola-hear embed` of {settings.files:,} files: memory and open files late in the work and early")
    if not Path("/proc/self/status").exists():
        found.not_tried = "memory of another process is read from /proc, which is Linux's"
        return found
    work = settings.work / "many"
    sounds, log, table = collection(work / "sounds", settings.files), work / "log.txt", work / "t.parquet"
    began = time.monotonic()
    code, samples = watched(("byola_hear", "embed", str(sounds), "-q", "-o", str(table)), log)
    found.figures["seconds"] = round(time.monotonic() - began, 1)
    found.expect(code == 0, f"ended with {code}: {last_line(log)}")
    memory, files, most_memory, most_files = growth(samples)
    found.figures |= {
        "memory, late / early": round(memory, 3),
        "open files, late / early": round(files, 3),
        "peak memory, MB": round(most_memory / 1e6),
        "open files at most": most_files,
    }
    found.expect(memory < GROWTH, f"memory grew by {memory:.2f}")
    found.expect(files < GROWTH, f"open files grew by {files:.2f}")
    if code == 0:
        found.expect(len(read_table(table)) == settings.files, "a row is missing")
    return found


def short(settings: Settings) -> Found:
    """Ten times as many files of a tenth of a second."""
    count = 10 * settings.files
    found = Found(f"`byola-hear embed` of {count:,} files of 0.1 s")
    work = settings.work / "short"
    (work / "sounds").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(settings.seed)
    for index in range(count):
        file = work / "sounds" / f"{index:06}.wav"
        if not file.exists():
            soundfile.write(file, rng.normal(0, 0.1, 1600).astype(np.float32), 16000, subtype="PCM_16")
    log, table = work / "log.txt", work / "t.parquet"
    began = time.monotonic()
    code, samples = watched(("byola_hear", "embed", str(work / "sounds"), "-q", "-o", str(table)), log)
    found.figures["files per second"] = round(count / (time.monotonic() - began), 1)
    found.expect(code == 0, f"ended with {code}: {last_line(log)}")
    if samples:
        found.figures["peak memory, MB"] = round(max(memory for memory, _ in samples) / 1e6)
    if code == 0:
        found.expect(len(read_table(table)) == count, "a row is missing")
    return found


def long(settings: Settings) -> Found:
    """A file of a day."""
    found = Found(f"`byola-hear embed` of one file of {settings.hours:g} h, an embedding for each minute")
    work = settings.work / "long"
    work.mkdir(parents=True, exist_ok=True)
    file, log, table = work / "day.flac", work / "log.txt", work / "t.parquet"
    rng = np.random.default_rng(settings.seed)
    minutes = round(60 * settings.hours)
    with soundfile.SoundFile(file, "w", 16000, 1, "PCM_16") as stream:
        for minute in range(minutes):
            stream.write(rng.normal(0, 0.01 * (1 + minute % 10), 16000 * 60).astype(np.float32))
    began = time.monotonic()
    code, samples = watched(("byola_hear", "embed", str(file), "--window", "60", "-q", "-o", str(table)), log)
    found.figures["× real time"] = round(3600 * settings.hours / (time.monotonic() - began), 1)
    found.expect(code == 0, f"ended with {code}: {last_line(log)}")
    if samples:
        memory, _, most_memory, _ = growth(samples)
        found.figures |= {"memory, late / early": round(memory, 3), "peak memory, MB": round(most_memory / 1e6)}
        found.expect(memory < GROWTH, f"memory grew by {memory:.2f}")
    if code == 0:
        found.expect(len(read_table(table)) == minutes, f"expected {minutes} rows, got {len(read_table(table))}")
    return found

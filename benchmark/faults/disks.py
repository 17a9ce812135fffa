"""Disks that fill up, outputs that can't be written, and folders that vanish."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmark.faults.killed import digest_of_table, kill
from benchmark.faults.proof import Found, Settings, collection, finished, last_line, random_for, start

#: Size of the small disk, bytes.
DISK = 8 << 20


@contextlib.contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[bool]:
    """Mount a small disk in memory on a folder; yields whether that worked. It needs Linux and root."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    arguments = ["-t", "tmpfs", "-o", ",".join((f"size={DISK}", *options)), "tmpfs", str(folder)]
    worked = mount is not None and not subprocess.run([mount, *arguments], capture_output=True).returncode
    try:
        yield worked
    finally:
        if worked:
            subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def full(settings: Settings) -> Found:
    """A disk that fills up while a table is written."""
    found = Found(
        "a small disk fills up at random bytes of `byola-hear embed`: one line and exit code 1; with room, the same "
        "command finishes the same table"
    )
    rng, disk, log = random_for(settings, "full"), settings.work / "full_disk", settings.work / "full_disk.txt"
    sounds = collection(settings.work / "full_disk_sounds", 40)
    arguments = ("byola_hear", "embed", str(sounds), "--window", "0.5", "-q", "--save-every", "0", "-o")
    undisturbed = settings.work / "full_disk_undisturbed.parquet"
    code = finished((*arguments, str(undisturbed)), log)
    if code:
        found.faults.append(f"the undisturbed command ended with {code}: {last_line(log)}")
        return found
    needed, expected = 3 * undisturbed.stat().st_size, digest_of_table(undisturbed)
    with small_disk(disk) as worked:
        if not worked:
            found.not_tried = "a small disk can be mounted by root on Linux only"
            return found
        for number in range(settings.fills):
            table, ballast = disk / f"{number}.parquet", disk / "ballast"
            ballast.write_bytes(bytes(max(DISK - rng.randrange(4096, needed), 0)))
            code = finished((*arguments, str(table)), log)
            if code:
                message = last_line(log)
                found.expect(code == 1 and message.startswith("error: "), f"fill {number} ended with {code}: {message}")
            ballast.unlink()
            code = finished((*arguments, str(table)), log)
            found.expect(code == 0, f"after fill {number} the command ended with {code}: {last_line(log)}")
            if code == 0:
                found.expect(digest_of_table(table) == expected, f"after fill {number} the table differs")
            for left in disk.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    return found


def outputs(settings: Settings) -> Found:
    """Outputs that can't be written, that vanish, or that two processes want."""
    found = Found(
        "output on a read-only disk, output folder removed during the work, two processes with one output: one line "
        "each, and a table that exists stays as it is"
    )
    work = settings.work / "outputs"
    work.mkdir(parents=True, exist_ok=True)
    log, sounds = work / "log.txt", collection(work / "sounds", 60)
    arguments = ("byola_hear", "embed", str(sounds), "-q", "--save-every", "0", "-o")
    with small_disk(work / "read_only", "ro") as worked:
        if worked:
            code = finished((*arguments, str(work / "read_only" / "t.parquet")), log)
            found.expect(
                code in (1, 2) and "can't be written" in last_line(log), f"read-only: {code}: {last_line(log)}"
            )
    removed = work / "removed"
    removed.mkdir()
    process = start((*arguments, str(removed / "t.parquet")), log)
    waited = time.monotonic()
    while not any(removed.glob("*.parts/*")) and process.poll() is None and time.monotonic() - waited < 120:
        time.sleep(0.02)
    with contextlib.suppress(OSError):
        shutil.rmtree(removed)
    code = process.wait()
    found.expect(code in (1, 2) and last_line(log).startswith("error: "), f"folder removed: {code}: {last_line(log)}")
    table = work / "shared.parquet"
    # Enough work that the first process is still at it when the second has started Python.
    many = ("byola_hear", "embed", str(collection(work / "many", 2000)), "-q", "--save-every", "0", "-o", str(table))
    first = start(many, work / "first.txt")
    waited = time.monotonic()
    while (
        not table.with_name("shared.parquet.parts").exists()
        and first.poll() is None
        and time.monotonic() - waited < 120
    ):
        time.sleep(0.02)
    code = finished(many, log)
    found.expect(code == 2 and "another process" in last_line(log), f"two processes: {code}: {last_line(log)}")
    found.expect(first.wait() == 0, f"the first of two processes: {last_line(work / 'first.txt')}")
    before = table.read_bytes()
    code = finished((*arguments, str(table)), log)
    found.expect(code == 2 and table.read_bytes() == before, f"an existing table: {code}: {last_line(log)}")
    kill(first)
    return found


def changing(settings: Settings) -> Found:
    """Files that grow, shrink or are replaced while they are read, and a clock that is set back."""
    import numpy as np
    import soundfile

    found = Found(
        "a long file that grows, is cut short or is replaced while it is read: it is an error of this file, or its "
        "rows are those of one of the two files; modification times in the future"
    )
    rng, work = random_for(settings, "changing"), settings.work / "changing"
    work.mkdir(parents=True, exist_ok=True)
    log = work / "log.txt"
    noise = np.random.default_rng(settings.seed).normal(0, 0.1, 16000 * 600).astype(np.float32)
    original = work / "original.wav"
    soundfile.write(original, noise, 16000, subtype="PCM_16")

    def embedded(file: Path, name: str) -> tuple[int, str | None]:
        table = work / f"{name}.parquet"
        code = finished(("byola_hear", "embed", str(file), "-q", "-o", str(table)), log)
        return code, digest_of_numbers(table) if table.exists() else None

    whole = embedded(original, "original")[1]
    for number, change in enumerate(("grow", "cut", "replace") * 3):
        file = work / f"{number}.wav"
        shutil.copy(original, file)
        process = start(("byola_hear", "embed", str(file), "-q", "-o", str(work / f"{number}.parquet")), log)
        time.sleep(rng.uniform(1.0, 6.0))
        unfinished = process.poll() is None
        if change == "grow":
            with open(file, "ab") as stream:
                stream.write(bytes(32000 * 60))
        elif change == "cut":
            os.truncate(file, file.stat().st_size // 2)
        else:
            other = work / "other.wav"
            soundfile.write(other, noise[: 16000 * 300], 16000, subtype="PCM_16")
            os.replace(other, file)
        code, table = process.wait(), work / f"{number}.parquet"
        numbers = digest_of_numbers(table) if table.exists() else None
        # A file that changed early is another file by the time it is opened; then its own row is right.
        right = {whole, embedded(file, f"{number}_again")[1]}
        found.expect(
            code in (0, 1) and (numbers is None or numbers in right), f"{change}: {code}, another row in silence"
        )
        found.figures[f"{change}, still reading"] = found.figures.get(f"{change}, still reading", 0) + unfinished
    future = work / "future.wav"
    shutil.copy(original, future)
    os.utime(future, (4e9, 4e9))
    code, numbers = embedded(future, "future")
    found.expect(code == 0 and numbers == whole, f"a modification time in the future: {code}: {last_line(log)}")
    return found


def digest_of_numbers(table: Path) -> str:
    """The numbers of a table without its index, as text that can be compared."""
    from byola_hear.tables import read_table

    return read_table(table).to_numpy().tobytes().hex()[:4096]

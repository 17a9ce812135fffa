"""
ONNX, without torch
===================

The whole model, front end included, as one ONNX file: waveform in, embedding out, in any runtime that reads ONNX.
"""

# %%
# Export
# ------
# :func:`byola_hear.onnx.export_onnx` compares the file with torch on clips of many lengths before the file takes its
# name, and returns the largest relative difference. In a shell, ``byola-hear export speech -o speech.onnx`` does the
# same.

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sounds import TABLA_LOOP

import byola_hear
from byola_hear.audio import read_audio
from byola_hear.onnx import export_onnx

model = byola_hear.load_model("speech")
folder = tempfile.TemporaryDirectory()
path = Path(folder.name, "speech.onnx")
difference = export_onnx(model, path, kind="timestamp")
print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, largest relative difference from torch {difference:.0e}")

# %%
# Run
# ---
# This program needs onnxruntime, soundfile and numpy. It runs in a Python of its own, and says at the end whether torch
# was imported there. The clip is mono at 16 kHz, as the model expects; other clips have to be mixed down and resampled
# first.

PROGRAM = """
import sys
import numpy, onnxruntime, soundfile

model, clip, output = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
samples, rate = soundfile.read(clip, dtype="float32")
embeddings, timestamps = session.run(None, {"waveforms": samples[None]})
numpy.savez(output, embeddings=embeddings, timestamps=timestamps)

facts = session.get_modelmeta().custom_metadata_map
print("model:", facts["name"], facts["version"], "at", facts["sample_rate"], "Hz")
print("input:", session.get_inputs()[0].name, samples[None].shape)
print("output:", embeddings.shape, timestamps.shape)
print("torch imported:", "torch" in sys.modules)
"""

output = Path(folder.name, "embeddings.npz")
command = [sys.executable, "-c", PROGRAM, path, TABLA_LOOP, output]
print(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

# %%
# Compare
# -------
# Both runtimes compute in float32, in another order of additions. The differences are those of rounding.

clip = torch.from_numpy(read_audio(TABLA_LOOP, model.sample_rate))
expected, times = byola_hear.get_timestamp_embeddings(clip[None], model)
with np.load(output) as arrays:
    embeddings, timestamps = arrays["embeddings"], arrays["timestamps"]
print("timestamps are equal:", np.array_equal(timestamps, times.numpy()))
print(f"largest difference: {np.abs(embeddings - expected.numpy()).max():.1e}")
print(f"largest number: {embeddings.max():.1f}")

figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
axes.loglog(expected.numpy().ravel(), np.abs(embeddings - expected.numpy()).ravel(), ",")
axes.set(xlabel="number in the embedding, torch", ylabel="absolute difference, onnxruntime")
axes.set_title("The same numbers in both")
plt.show()
folder.cleanup()

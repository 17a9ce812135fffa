# docker build -t byola-hear . && docker run --rm --user "$(id -u)" -v "$PWD:/data" byola-hear embed recordings -o clips.parquet
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu "torch>=2.6"
RUN --mount=type=bind,target=/source,rw pip install --no-cache-dir "/source[hdf5,zarr,sklearn,onnx]"
WORKDIR /data
ENTRYPOINT ["byola-hear"]

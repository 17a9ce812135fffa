"""Tables that were written in any format are read back unchanged, with any names of files."""

from __future__ import annotations

import base64
import csv
import json
import os
import pickle
import shutil
import sys
import zlib
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.rows import Rows
from byola_hear.tables import TableError, TableRefused, check_output, open_store, read_table, to_dataframe
from byola_hear.tables.formats.as_npy import npy_names
from tests.tables.extraction import SIZE, events, request, rows_of

OUTPUTS = ["t.parquet", "t.csv", "t.npz", "t.h5", "t.HDF5", "t.zarr", "folder/"]
NAMES = ["a.wav", 'with "quotes", commas.wav', "new\nline.wav", "\udcffnot utf-8.wav", "ünï.wav", "日本.wav", " 1"]


def write(output: str, clips: list[Clip], kind: str = "scene", n_rows: int = 1, **options: object) -> None:
    with open_store(output, request(kind), clips, **options) as store:  # type: ignore[arg-type]
        for event in events(clips, kind, n_rows, n_blocks=2 if n_rows > 1 else 1):
            store.add(event)
        store.finish()


def expected(clips: list[Clip], kind: str = "scene", n_rows: int = 1) -> tuple[dict[str, list], np.ndarray]:
    """The table's index, column by column, and its embeddings, the plain way."""
    blocks = [rows for clip in clips for rows in rows_of(clip, kind, n_rows)]
    index = {"file": [rows.clip.file for rows in blocks for _ in range(len(rows))]}
    for name in request(kind).columns[1:]:
        index[name] = [value for rows in blocks for value in getattr(rows, name).tolist()]
    return index, np.concatenate([rows.embeddings for rows in blocks])


def check(table: pd.DataFrame, wanted: tuple[dict[str, list], np.ndarray]) -> None:
    assert list(table.index.names) == list(wanted[0])
    assert list(table.columns) == [f"e{index}" for index in range(SIZE)]
    assert set(table.dtypes) == {np.dtype("float32")}
    for name, values in wanted[0].items():
        assert table.index.get_level_values(name).tolist() == values
    np.testing.assert_array_equal(table.to_numpy(), wanted[1])


@pytest.mark.parametrize("kind", ["scene", "timestamp"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_round_trip(tmp_path: Path, output: str, kind: str) -> None:
    clips = [Clip(name) for name in NAMES] + [Clip("a.wav", 1.5, 2.25), Clip("b.wav", 0.1, 0.3)]
    n_rows = 1 if kind == "scene" else 7
    path = f"{tmp_path}/{output}"
    write(path, clips, kind, n_rows)
    table = read_table(path)
    check(table, expected(clips, kind, n_rows))
    if not output.endswith(".csv"):
        assert table.attrs["request"] == request(kind).to_dict()
    assert [entry.name for entry in tmp_path.iterdir()] == [output.rstrip("/")]


@pytest.mark.parametrize("output", OUTPUTS)
def test_text_stays_text(tmp_path: Path, output: str) -> None:
    path = f"{tmp_path}/{output}"
    write(path, [Clip("a.wav"), Clip("ü.wav")])
    table = read_table(path)
    assert table.loc["ü.wav"].shape == (1, SIZE)
    assert table.index.get_level_values("file").dtype == pd.Index(["a"]).dtype


#: File names: any text, and any bytes that a file system takes.
file_names = st.one_of(
    st.text(st.characters(exclude_characters="\0"), min_size=1).map(lambda name: name.encode("utf-8", "replace")),
    st.binary(min_size=1, max_size=8).filter(lambda name: 0 not in name),
).map(lambda name: name.decode("utf-8", "surrogateescape"))


@settings(max_examples=12)
@given(st.lists(file_names, min_size=1, max_size=5))
@example(["\udc80", "\udc81"])
def test_any_name_in_any_format(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("names")
    clips = [Clip(name) for name in names]
    for output in ("t.parquet", "t.csv", "t.npz", "t.h5", "folder/"):
        write(f"{folder}/{output}", clips)
        check(read_table(f"{folder}/{output}"), expected(list(dict.fromkeys(clips))))


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_table_without_rows(tmp_path: Path, output: str) -> None:
    path = f"{tmp_path}/{output}"
    write(path, [Clip("a.wav")], "timestamp", n_rows=0)
    assert read_table(path).shape == (0, SIZE)
    assert read_table(path).index.names == ["file", "start", "end", "time"]


def test_parquet_is_for_other_programs_too(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write(f"{tmp_path}/t.parquet", [Clip("a.wav"), Clip("b.wav")])
    table = parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names == ["file", "start", "end", "embedding"]
    assert str(table.schema.field("embedding").type).startswith("fixed_size_list<element: float")
    assert table.schema.field("embedding").type.list_size == SIZE
    assert json.loads(table.schema.metadata[b"byola_hear"]) == request().to_dict()
    assert (
        pd.read_parquet(tmp_path / "t.parquet")["embedding"][1].tolist()
        == rows_of(Clip("b.wav"))[0].embeddings[0].tolist()
    )


def test_parquet_that_other_programs_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byola_hear.tables.formats.as_parquet._LISTS", 3)
    clips = [Clip(f"{number}.wav") for number in range(5)]
    write(f"{tmp_path}/t.parquet", clips)
    # pandas and DuckDB do not keep the size of lists.
    frame = pd.read_parquet(tmp_path / "t.parquet")
    frame.to_parquet(tmp_path / "pandas.parquet")
    assert "fixed" not in str(pq.read_schema(tmp_path / "pandas.parquet").field("embedding").type)
    check(read_table(tmp_path / "pandas.parquet"), expected(clips))
    for row, embedding, found in ((4, [0.5], "5, 1"), (3, None, "None, 5")):
        changed = frame["embedding"].tolist()
        changed[row] = embedding
        frame.assign(embedding=changed).to_parquet(tmp_path / "odd.parquet")
        with pytest.raises(TableError, match=rf"odd\.parquet can't be read: .* of one size in all rows, got {found}$"):
            read_table(tmp_path / "odd.parquet")
    # A missing list of a fixed size: half of one embedding must not become an embedding.
    table = pq.read_table(tmp_path / "t.parquet")[:2]
    lists = pa.array([None, [1.0] * SIZE], table.schema.field("embedding").type)
    pq.write_table(table.set_column(3, "embedding", lists), tmp_path / "none.parquet")
    with pytest.raises(TableError, match="expected embeddings of one size in all rows, got None, 5$"):
        read_table(tmp_path / "none.parquet")


@pytest.mark.parametrize("output", ["t.csv", "t.parquet"])
def test_names_that_arrow_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    monkeypatch.setattr("byola_hear.tables.batches._MOST_NAME_BYTES", 4)
    with pytest.raises(TableError, match="at most 4 bytes in a batch, got"):
        write(f"{tmp_path}/{output}", [Clip("a.wav"), Clip("b.wav")])
    assert not (tmp_path / output).exists()


def test_parquet_has_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("byola_hear.tables.formats.as_parquet._GROUP_BYTES", 4 * SIZE * 4)
    clips = [Clip(f"{index}.wav") for index in range(10)]
    write(f"{tmp_path}/t.parquet", clips)
    assert parquet.ParquetFile(tmp_path / "t.parquet").num_row_groups == 3
    check(read_table(tmp_path / "t.parquet"), expected(clips))


def test_parquet_keeps_its_clips_in_pieces_that_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("byola_hear.tables.formats.as_parquet._PIECE_BYTES", 20)
    clips = [Clip(f"{index}.wav") for index in range(99)]
    write(f"{tmp_path}/t.parquet", clips)
    notes = parquet.read_metadata(tmp_path / "t.parquet").metadata
    sizes = [len(text) for key, text in notes.items() if key.startswith(b"byola_hear.clips")]
    assert len(sizes) > 10 and max(sizes) == 20
    with open_store(f"{tmp_path}/t.parquet", request(), [*clips, Clip("new.wav")], update=True) as store:
        assert store.done == set(clips)


def test_npz_needs_no_pickle(tmp_path: Path) -> None:
    write(f"{tmp_path}/t.npz", [Clip("a.wav"), Clip("ü.wav", 1.0)])
    content = np.load(tmp_path / "t.npz", allow_pickle=False)
    assert content["file"].tolist() == ["a.wav", "ü.wav"]
    assert content["start"].tolist() == [0, 1]
    assert content["embedding"].shape == (2, SIZE) and content["embedding"].dtype == np.float32
    assert json.loads(str(content["request"]))["model"] == "both 0.1.0"


class Trap:
    """Makes a folder of this name when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.fspath(self.path),)


@pytest.mark.parametrize("consolidated", [False, True])
def test_zarr_2_whose_filters_unpickle_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, consolidated: bool
) -> None:
    # Later versions of numcodecs refuse by themselves, unless somebody allows it.
    pytest.importorskip("zarr")
    pickles = pytest.importorskip("numcodecs.pickles")
    monkeypatch.setattr(pickles, "ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
    write(f"{tmp_path}/t.zarr", [Clip("a.wav")])
    file = tmp_path / "t.zarr" / "file"
    shutil.rmtree(file)
    file.mkdir()
    filters = [{"id": "vlen-utf8"}, {"id": "pickle", "protocol": 5}]
    whole = {"shape": [1], "chunks": [1], "dtype": "|O", "order": "C", "fill_value": None, "compressor": None}
    metadata = {"zarr_format": 2, **whole, "filters": filters}
    (file / ".zarray").write_text(json.dumps(metadata))
    (file / "0").write_bytes(pickle.dumps(Trap(tmp_path / "unpickled")))
    group = tmp_path / "t.zarr" / "zarr.json"
    if consolidated:
        content = json.loads(group.read_text())
        names = [name for name in os.listdir(group.parent) if name not in ("zarr.json", "file")]
        members = {name: json.loads((group.parent / name / "zarr.json").read_text()) for name in names}
        members["file"] = {"node_type": "array", **metadata, "attributes": {}}
        content["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": members}
        group.write_text(json.dumps(content))
    else:
        group.unlink()
        (group.parent / ".zgroup").write_text('{"zarr_format": 2}')
        for name in ("start", "end", "embedding"):
            shape = [1, SIZE] if name == "embedding" else [1]
            shutil.rmtree(group.parent / name)
            (group.parent / name).mkdir()
            plain = {**metadata, "shape": shape, "chunks": shape, "dtype": "<f4", "fill_value": 0, "filters": None}
            (group.parent / name / ".zarray").write_text(json.dumps(plain))
    with pytest.raises(TableError, match=r"t\.zarr"):
        read_table(tmp_path / "t.zarr")
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("way", ["external storage", "external link", "soft link", "virtual dataset", "group"])
@pytest.mark.parametrize("name", ["embedding", "clips"])
def test_hdf5_never_brings_another_file_in(tmp_path: Path, way: str, name: str) -> None:
    h5py = pytest.importorskip("h5py")
    write(f"{tmp_path}/t.h5", [Clip("a.wav")])
    secret = np.arange(SIZE, dtype=np.float32)
    (tmp_path / "secret").write_bytes(secret.tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["e"] = secret[None]
    with h5py.File(tmp_path / "t.h5", "a") as file:
        del file[name]
        if way == "external storage":
            stored = [(str(tmp_path / "secret"), 0, secret.nbytes)]
            file.create_dataset(name, (1, SIZE), "f4", external=stored)
        elif way == "virtual dataset":
            layout = h5py.VirtualLayout((1, SIZE), "f4")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "e", (1, SIZE))
            file.create_virtual_dataset(name, layout)
        elif way == "group":
            file.create_group(name)
        else:
            file["linked"] = h5py.ExternalLink("other.h5", "e")
            file[name] = h5py.SoftLink("/linked") if way == "soft link" else h5py.ExternalLink("other.h5", "e")
    with pytest.raises(TableError, match=rf"t\.h5: expected the dataset '{name}' in the file itself"):
        if name == "embedding":
            read_table(tmp_path / "t.h5")
        else:
            open_store(tmp_path / "t.h5", request("scene"), [Clip("a.wav")], update=True)


def test_csv_is_plain(tmp_path: Path) -> None:
    write(f"{tmp_path}/t.csv", [Clip("a,b.wav")], "timestamp", 3)
    rows = list(csv.reader((tmp_path / "t.csv").open(newline="")))
    assert rows[0] == ["file", "start", "end", "time", *(f"e{index}" for index in range(SIZE))]
    assert rows[2][:4] == ["a,b.wav", "0.04", "0.08", "0.06"]
    values = np.array([[float(cell) for cell in row[4:]] for row in rows[1:]]).astype(np.float32)
    np.testing.assert_array_equal(values, rows_of(Clip("a,b.wav"), "timestamp", 3)[0].embeddings)


@pytest.mark.parametrize("output", ["t.csv", "folder/"])
def test_text_that_a_spreadsheet_has_saved(tmp_path: Path, output: str) -> None:
    clips = [Clip("a.wav"), Clip("ü.wav")]
    write(f"{tmp_path}/{output}", clips)
    text = tmp_path / "folder" / "index.csv" if output == "folder/" else tmp_path / "t.csv"
    text.write_bytes(b"\xef\xbb\xbf" + text.read_bytes().replace(b"\n", b"\r\n"))
    check(read_table(tmp_path / output.rstrip("/")), expected(clips))


def test_one_npy_per_file(tmp_path: Path) -> None:
    clips = [Clip("x/a.wav"), Clip("x/a.mp3"), Clip("y/a.wav"), Clip("x/a.wav", 2.0, 3.0), Clip("/z/a.wav")]
    write(f"{tmp_path}/out/", clips)
    out = tmp_path / "out"
    arrays = {str(path.relative_to(out)): np.load(path) for path in out.rglob("*.npy")}
    assert set(arrays) == {"x/a.wav.npy", "x/a.mp3.npy", "y/a.wav.npy", "z/a.wav.npy"}
    both = np.concatenate([rows_of(clips[0])[0].embeddings, rows_of(clips[3])[0].embeddings])
    np.testing.assert_array_equal(arrays["x/a.wav.npy"], both)
    lines = list(csv.DictReader((out / "index.csv").open()))
    assert lines[3] == {"file": "x/a.wav", "start": "2.0", "end": "2.04", "npy": "x/a.wav.npy", "row": "1"}


path_parts = st.sampled_from(["a", "A", "..", ".", "a.npy", "index.csv", "b", "é", "é", "x" * 300])


@given(
    st.lists(st.builds("".join, st.tuples(st.sampled_from(["", "/"]), st.lists(path_parts, min_size=1).map("/".join))))
)
def test_npy_names_never_clash_nor_leave(files: list[str]) -> None:
    files = list(dict.fromkeys(files))
    names = npy_names(files)
    folded = [name.casefold() for name in names.values()]
    assert len(set(folded)) == len(files) == len(names)
    for name in folded:
        assert name.endswith(".npy") and not name.startswith("/") and ".." not in name.split("/")
        assert name not in ("index.csv", "index.json")
        assert not any(other.startswith(f"{name}/") for other in folded)
        assert len(name.rpartition("/")[2].encode()) < 255
    assert names == npy_names(files)


def test_a_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "a.wav.npy").write_text("mine")
    with pytest.raises(TableRefused, match="expected a new or an empty folder, .* files that do not belong to a table"):
        write(f"{tmp_path}/", [Clip("a.wav")])
    with pytest.raises(TableRefused, match="expected a new or an empty folder"):
        check_output(tmp_path, update=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.wav.npy", "notes.txt"]
    (tmp_path / "table").mkdir()
    write(f"{tmp_path}/table", [Clip("b.wav")])
    (tmp_path / "table" / "a.wav.npy").write_text("mine")
    with pytest.raises(TableError, match=r"a\.wav\.npy exists and does not belong to the table"):
        write(f"{tmp_path}/table", [Clip("a.wav")], update=True)
    assert (tmp_path / "table" / "a.wav.npy").read_text() == "mine"
    shutil.rmtree(tmp_path / "table")
    shutil.rmtree(tmp_path / "table.parts")
    write(f"{tmp_path}/", [Clip("a.wav")], overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    check(read_table(tmp_path), expected([Clip("a.wav")]))
    with pytest.raises(TableRefused, match="exists"):
        write(f"{tmp_path}/", [Clip("b.wav")])
    write(f"{tmp_path}/", [Clip("b.wav")], overwrite=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["b.wav.npy", "index.csv", "index.json", "notes.txt"]


def test_an_index_that_is_not_a_tables(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("mine")
    with pytest.raises(TableRefused, match=r"index\.json exists and does not belong to a table"):
        check_output(f"{tmp_path}/")
    assert (tmp_path / "index.json").read_text() == "mine"
    write(f"{tmp_path}/", [Clip("a.wav")], overwrite=True)
    check(read_table(tmp_path), expected([Clip("a.wav")]))


def test_an_index_that_points_elsewhere(tmp_path: Path) -> None:
    write(f"{tmp_path}/out/", [Clip("a.wav")])
    np.save(tmp_path / "secret.npy", np.zeros((1, SIZE), "f4"))
    index = tmp_path / "out" / "index.csv"
    index.write_text(index.read_text().replace("a.wav.npy", "../secret.npy"))
    with pytest.raises(TableError, match="not in its folder"):
        read_table(tmp_path / "out")
    with pytest.raises(TableError, match="not in its folder"):
        write(f"{tmp_path}/out/", [Clip("a.wav")], overwrite=True)
    assert (tmp_path / "secret.npy").exists()


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TableError, match="outside"):
        write(f"{tmp_path}/out/", [Clip("x/a.wav")])
    assert list((tmp_path / "elsewhere").iterdir()) == []


#: A Parquet table of one row, found by fuzzing, whose row group counts 83 594 507 903 rows.
MANY_ROWS = (
    b"c-pO%&5znf6u<|Eb;xQ}Z6b|jOB@jDqOG(cz!tiRs8)kv!2}4nW!dEt+29yw{k66imb8&_&LO9qdg(t<_150|XY|ynw_d79J@nM7"
    b"Gh>Xm)$So`N7yrO-kab18sR>Yi!cfA!4Er-f#4nhyWc(dGjm4*U;_Z4<QK~C5D@(y)^9@=vgr!g-5`oNA5M4gf-A=uEHH@#1Msml"
    b"%#&k)9^+GBHP)+F9N4{PHwJ!i9swh(o2c&&<5f((x_dMA-64h*U~LZ*LuzEn{}5W<V#%AlUL8gcObTC?0nhrAnPw?41>n{W!zZ5^"
    b"rj`I5f`FTNW5W*=F9_GSG<yol41Y(nRBbvnY#rypcB<I6oaB?H;Rg^GF0}*r+nT9anjHX+5z;~@2hwm$C<As|2wlJ}j^SP>xNj4="
    b"RxWj2PlP?(SO94ww((TuHU(D5(R>JQQ`ljFu!@i3zDjW4By!&;s_)e*Aq@fbQ~l@~JW2Tq{1>MBULCsuo}%!BxQ?`TQO&SFmOJKV"
    b"xi?8EKA&TfLIpPwBe=Io?yn#J`1Q9W5UTvPx^ztC=}c3+{KPa|pD$?bW#_p$eq0oTe&?wF+3@rFp!={UFU5IpIX#lQ4cWN#Pes%j"
    b"Rm7?EDd0B=M5hq`>%<q?GsB){A7!%sM6<Q*UM9Q18_oi6*%zjX<(cEgg5^v#lbEYcFv}E){WF}E=DD6>2Sic$kAon6<AsJ<`!4~%"
    b"g=G23=uvog`JXo)kg-G}LTG@(@fe|xQB6lj2<b@F>0Yh&5B-A7jkUg~ujGhA^%9wDbS8Syry%lbACT22k`=hBH87qS$e5IRrfLn1"
    b"j);tD$-EdhAMQ)f9bL7LeN|lOk~N!8M5!V*%SE-h@FlSws3qA{MX7|>hPp31QoTXXk1c$@biACj+OBGc{B9jB{`W_eNE|Pe6W1iM"
    b"cJ~WmJ(}&ZTDqK_lxF7XiL@$8o#uZ|UaiHtUcEl9KM`d#q@{_ANK4hF@);3Lb<{S;O&Qm0Li!^SyPCeX!oq+y5}^sIuLunkjV^^Y"
    b"V}96J;=6h5k4Hrl*9v*_RXhXHAy<P^E~)8o9aK1|i}9#@hI%TtJfJNvMEMLtf31J}Bg<B=aC*`%AaqLNZIU@05{Y+6?hDSVwYo=x"
    b"*lFXau@3r5YLs8Il+mRb$x-Tn&$x<rexU{TC$4*6@jPddnQNYJICiE~$rtiPf&6E$f8Zzl{p;he<KILToAC"
)


def test_a_count_of_rows_that_would_fill_the_memory(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(zlib.decompress(base64.b85decode(MANY_ROWS)))
    assert len(read_table(tmp_path / "t.parquet")) == 1


@pytest.mark.parametrize("output", ["t.csv", "t.npz", "t.parquet"])
def test_a_byte_that_changed_gives_a_table_or_one_clear_error(tmp_path: Path, output: str) -> None:
    path = tmp_path / output
    write(str(path), [Clip("a.wav")], n_rows=2)
    content = path.read_bytes()
    n_refused = 0
    for place in range(0, len(content), max(len(content) // 150, 1)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            read_table(path)
        except TableError as error:
            assert str(error).startswith(str(path))
            assert "\n" not in str(error)
            n_refused += 1
    # In text, most changes are other names and other digits.
    assert n_refused > (0 if output == "t.csv" else 10)


@pytest.mark.parametrize("output", ["t.parquet", "t.npz", "t.h5", "t.csv", "t.zarr", "folder"])
def test_damaged_tables_are_one_clear_error(tmp_path: Path, output: str) -> None:
    path = tmp_path / output
    write(f"{path}/" if output == "folder" else str(path), [Clip("a.wav")])
    damaged = {"t.zarr": path / "embedding" / "zarr.json", "folder": path / "a.wav.npy"}.get(output, path)
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(TableError):
        read_table(path)


def test_what_is_not_a_table(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "t.parquet")
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "t.csv")
    np.savez(tmp_path / "t.npz", a=1)
    for name in ("t.parquet", "t.csv", "t.npz"):
        with pytest.raises(TableError, match="not a table of embeddings|expected columns"):
            read_table(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"none\.parquet"):
        read_table(tmp_path / "none.parquet")


@pytest.mark.parametrize("output", ["t.txt", "t", "t.parquet.gz"])
def test_unknown_ending(tmp_path: Path, output: str) -> None:
    with pytest.raises(TableRefused, match=r"ends in \.parquet, \.csv, \.npz, \.h5, \.hdf5, \.zarr, or a folder"):
        check_output(tmp_path / output)


def test_outputs_that_could_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").mkdir()
    (tmp_path / "t.zarr").write_text("")
    (tmp_path / "u.zarr").mkdir()
    zarr = {"t.zarr": "expected a folder", "u.zarr": "not a table"} if sys.version_info >= (3, 11) else {}
    for output, message in {
        "t.parquet": "expected a file",
        **zarr,
        "none/t.csv": "folder of .* does not exist",
    }.items():
        with pytest.raises(TableRefused, match=message):
            check_output(tmp_path / output, overwrite=True)
    with pytest.raises(TableRefused, match="format among"):
        check_output(tmp_path / "t.csv", "xml")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(TableRefused, match=r"needs h5py: pip install 'byola-hear\[hdf5\]'$"):
        check_output(tmp_path / "t.h5")


def test_a_package_that_is_broken_is_found_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ValueError("numpy.dtype size changed, may indicate binary incompatibility")
    monkeypatch.setattr("byola_hear.utils.optional.import_module", Mock(side_effect=broken))
    with pytest.raises(TableRefused, match=r"t\.h5 needs h5py: pip .*can't be imported: numpy\.dtype size changed"):
        check_output(tmp_path / "t.h5")


def test_zarr_needs_a_newer_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 10, 12))
    with pytest.raises(TableRefused, match=r"t\.zarr needs Python 3\.11 or later, got 3\.10"):
        check_output(tmp_path / "t.zarr")


@pytest.mark.parametrize("output", [".", "..", "../here", "./"])
def test_a_folder_that_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    (tmp_path / "here" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "inner" if output == ".." else tmp_path / "here")
    write(output, [Clip("a.wav"), Clip("broken.wav")])
    assert {entry.name for entry in tmp_path.iterdir()} == {"here", "here.errors.csv"}
    check(read_table(tmp_path / "here"), expected([Clip("a.wav")]))


@pytest.mark.parametrize("output", ["", "/"])
def test_an_output_without_a_name(output: str) -> None:
    with pytest.raises(TableRefused, match=f"expected an output with a name, got '{output}'"):
        check_output(output)


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(TableRefused, match=r"x\.csv can't be written: File name too long"):
        check_output(tmp_path / f"{'x' * 300}.csv")


def test_to_dataframe() -> None:
    clips = [Clip("b.wav"), Clip("a.wav"), Clip("\udcff.wav")]
    rows: list[Rows] = [block for clip in clips for block in rows_of(clip, "timestamp", 4, 2)]
    table = to_dataframe(rows, request("timestamp"))
    check(table, expected(clips, "timestamp", 4))
    assert table.attrs["request"]["kind"] == "timestamp"
    none = to_dataframe([], request())
    assert none.shape == (0, SIZE) and none.index.names == ["file", "start", "end"]

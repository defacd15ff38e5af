"""Random Zarr stores by xarray, read back by xarray."""

import os

import numcodecs
import numpy as np
import xarray
import zarr
from random_numbers import numbers
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "f4", "f8", ">f4", ">i2"]


def compressor(r, version):
    kind = r.choice(["none", "gzip", "zlib", "zstd", "blosc", "blosc", "blosc"])
    if kind == "none":
        return [] if version == 3 else None
    cname = r.choice(["lz4", "zstd", "zlib", "lz4hc"])
    shuffle = r.choice(["noshuffle", "shuffle", "bitshuffle"])
    level = r.choice([1, 5, 9])
    if version == 3:
        return [{
            "gzip": lambda: GzipCodec(level=level),
            "zlib": lambda: GzipCodec(level=level),
            "zstd": lambda: ZstdCodec(level=level, checksum=r.random() < 0.5),
            "blosc": lambda: BloscCodec(cname=cname, clevel=level, shuffle=shuffle, blocksize=r.choice([0, 256, 4096])),
        }[kind]()]
    return [{
        "gzip": lambda: numcodecs.GZip(level),
        "zlib": lambda: numcodecs.Zlib(level),
        "zstd": lambda: numcodecs.Zstd(level),
        "blosc": lambda: numcodecs.Blosc(cname, level, ["noshuffle", "shuffle", "bitshuffle"].index(shuffle), r.choice([0, 256, 4096])),
    }[kind]()]


def variable(r, g, version, dims, sizes):
    shape = [sizes[d] for d in dims]
    dtype = np.dtype(r.choice(TYPES))
    if version == 3:
        dtype = dtype.newbyteorder("=")
    data = numbers(r, g, dtype, shape)
    attributes, encoding = {}, {"compressors": compressor(r, version)}
    if dtype.kind in "iu" and dtype.itemsize < 4 and r.random() < 0.5:
        attributes["scale_factor"], attributes["add_offset"] = r.choice([0.5, 0.01]), r.choice([0.0, 273.15])
    fill = r.random()
    if fill < 0.5:
        encoding["_FillValue"] = data.ravel()[0].item() if data.size else 0
    elif fill < 0.6 and dtype.kind == "f":
        encoding["_FillValue"] = np.nan
    if shape:
        chunks = [max(1, r.choice([1, 2, n // 2, n, n // 3])) for n in shape]
        if version == 3 and r.random() < 0.5:
            encoding["shards"] = tuple(c * r.choice([1, 2, 3]) for c in chunks)
        encoding["chunks"] = tuple(chunks)
    v = xarray.Variable(dims, data, attributes)
    v.encoding = encoding
    return v


def store(r, g, path):
    version = r.choice([2, 3])
    sizes = {"time": r.choice([1, 7, 30]), "y": r.choice([2, 5, 40]), "x": r.choice([3, 64])}
    data = {}
    for i in range(r.choice([1, 2, 4])):
        dims = r.sample(sorted(sizes), r.choice([0, 1, 2, 3, 3]))
        data[f"v{i}"] = variable(r, g, version, dims, sizes)
    dataset = xarray.Dataset(data)
    encoding = {name: v.encoding for name, v in data.items()}
    # Values are as they are stored; attributes say how they are read.
    for name in data:
        dataset[name].encoding = {}
        fill = encoding[name].pop("_FillValue", None)
        encoding[name]["_FillValue"] = fill
        if np.dtype(data[name].dtype).kind in "iu" and fill is None:
            del encoding[name]["_FillValue"]
    zipped = r.random() < 0.3
    folder = path if not zipped else path.replace(".zarr", ".zip")
    target = zarr.storage.ZipStore(folder, mode="w") if zipped else folder
    group = "deep" if r.random() < 0.1 else None
    dataset.to_zarr(target, mode="w", zarr_format=version, consolidated=bool(r.random() < 0.5) if group is None else False, encoding=encoding, group=group, write_empty_chunks=r.random() < 0.5)
    if zipped:
        target.close()
    source = zarr.storage.ZipStore(folder, mode="r") if zipped else folder
    found = {}
    with xarray.open_zarr(source, group=group, chunks=None, decode_times=False) as back:
        for name in back.variables:
            found[(group + "/" if group else "") + name] = np.asarray(back[name].values, "f8")
    return found

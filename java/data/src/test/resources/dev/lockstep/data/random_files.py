"""Writes random data files and what an independent reader finds in them.

usage: random_files.py KIND FOLDER SEED COUNT      KIND: hdf5, netcdf4, classic, npy, npz, csv, idx

For each file N: FOLDER/N.<ending>, FOLDER/N.txt with a line "name<TAB>count" for each variable, and
FOLDER/N.f64 with all values as little-endian float64, missing ones as NaN.
"""

import os
import random
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")


def lengths(r, rank, most=9):
    shape = [r.choice([1, 2, 3, 5, 7, most]) for _ in range(rank)]
    if rank == 1 and r.random() < 0.3:
        shape = [r.choice([100, 1500, 5000])]
    if rank == 2 and r.random() < 0.15:
        shape = [r.choice([40, 130]), r.choice([3, 60])]
    return shape


def numbers(r, g, dtype, shape):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (g.standard_normal(shape) * 10.0 ** r.choice([-3, 0, 2])).astype(dtype)
    if dtype.kind == "b":
        return g.integers(0, 2, shape).astype(bool)
    info = np.iinfo(dtype)
    if r.random() < 0.3:
        return g.integers(info.min, info.max, shape, dtype=dtype.newbyteorder("="), endpoint=True).astype(dtype)
    return g.integers(max(info.min, -100), min(info.max, 100), shape).astype(dtype)


def some_slab(r, shape):
    slab = []
    for n in shape:
        a, b = sorted((r.randint(0, n), r.randint(0, n)))
        slab.append(slice(a, max(b, min(n, a + 1))))
    return tuple(slab)


HDF5_TYPES = ["i1", "u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8", ">u8",
              "<f2", "<f4", ">f4", "<f8", ">f8", "?"]
VERSIONS = ["earliest", "v108", "v110", "v112", "v114", "latest"]


def odd_object(r, h5py, group, name):
    kind = r.choice(["opaque", "text", "compound", "reference", "sequence", "empty", "soft", "array", "dangling",
                     "complex", "long", "szip", "outside", "virtual", "region"])
    if kind == "opaque":
        group.create_dataset(name, data=np.void(b"abc"))
    elif kind == "text":
        group[name] = ["some", "text"]
    elif kind == "compound":
        group[name] = np.zeros(3, dtype=[("a", "i4"), ("b", "f8")])
    elif kind == "reference":
        group[name] = np.array([group.ref], dtype=h5py.ref_dtype)
    elif kind == "sequence":
        group.create_dataset(name, (2,), dtype=h5py.vlen_dtype("f4"))
    elif kind == "empty":
        group[name] = h5py.Empty("f8")
    elif kind == "array":
        group.create_dataset(name, (2,), dtype=np.dtype(("i4", (3,))))
    elif kind == "complex":
        group[name] = np.array([1 + 2j])
    elif kind == "long":
        group[name] = np.arange(3, dtype="g")
    elif kind == "szip":
        if h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
            group.create_dataset("szip" + name, data=np.arange(64), chunks=(32,), compression="szip")
    elif kind == "outside":
        group[name] = h5py.ExternalLink("elsewhere.h5", "/x")
    elif kind == "virtual" and group.file.libver[0] not in ("earliest", "v108"):
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource("elsewhere.h5", "x", (3,))
        group.create_virtual_dataset("virtual" + name, layout)
    elif kind == "region":
        if "v0" in group and len(group["v0"].shape or ()) == 1:
            group[name] = np.array([group["v0"].regionref[:1]], dtype=h5py.regionref_dtype)
    elif kind == "soft":
        group[name] = h5py.SoftLink("/")
    elif kind == "dangling":
        group[name] = h5py.SoftLink("/nowhere/at/all")


def hdf5_dataset(r, g, h5py, group, name, version):
    dtype = np.dtype(r.choice(HDF5_TYPES))
    rank = r.choice([0, 1, 1, 2, 2, 3, 4])
    shape = lengths(r, rank)
    data = numbers(r, g, dtype, shape)
    layout = r.choice(["contiguous", "compact", "chunked", "chunked", "chunked", "chunked"])
    options = {}
    if dtype.kind in "iuf" and r.random() < 0.5:
        options["fillvalue"] = np.array(r.randint(0, 100), dtype)
    if rank == 0 or layout == "contiguous":
        d = group.create_dataset(name, shape, dtype, **options)
        if r.random() < 0.9:
            d[...] = data
        return
    if layout == "compact":
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(tuple(shape))
        if data.nbytes < 8000:
            h5py.h5d.create(group.id, name.encode(), h5py.h5t.py_create(dtype, logical=True), space, plist)
            group[name][...] = data
        return
    chunks = [max(1, r.choice([1, 2, n // 2, n, n // 3])) for n in shape]
    maxshape = [r.choice([n, n, None, n + r.randint(0, 20)]) for n in shape]
    many = np.prod([-(-n // c) for n, c in zip(shape, chunks)])
    if many > 6000:
        chunks = list(shape)
    chunks = [c if m is None else min(c, m) for c, m in zip(chunks, maxshape)]
    filters = r.random()
    if filters < 0.5:
        if r.random() < 0.7:
            options["compression"] = r.choice(["gzip", "gzip", "lzf"])
        if r.random() < 0.4:
            options["shuffle"] = True
        if r.random() < 0.4:
            options["fletcher32"] = True
    elif filters < 0.6 and dtype.kind in "iuf" and dtype.itemsize > 2:
        # Decimals for floating point, automatic bits for integers.
        options["scaleoffset"] = r.choice([0, 2, 4]) if dtype.kind == "f" else 0
    plist = None
    if filters >= 0.6 and r.random() < 0.4:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_alloc_time(r.choice([h5py.h5d.ALLOC_TIME_EARLY, h5py.h5d.ALLOC_TIME_INCR]))
    if r.random() < 0.15:
        options["fill_time"] = "ifset"
    kw = dict(dcpl=plist) if plist is not None else {}
    d = group.create_dataset(name, shape, dtype, chunks=tuple(chunks), maxshape=tuple(maxshape), **options, **kw)
    how = r.random()
    if how < 0.5:
        d[...] = data
    elif how < 0.9:
        for _ in range(r.randint(0, 3)):
            slab = some_slab(r, shape)
            d[slab] = data[slab]
    if r.random() < 0.3:
        grown = [n if m == n else max(1, r.randint(max(1, n - 2), n + 4 if m is None else m)) for n, m in zip(shape, maxshape)]
        d.resize(tuple(grown))
        slab = some_slab(r, grown)
        d[slab] = numbers(r, g, dtype, d[slab].shape)
    if "compression" in options and r.random() < 0.2 and not options.get("fletcher32"):
        # One chunk whose filters were all skipped.
        piece = numbers(r, g, dtype, chunks)
        mask = (1 << d.id.get_create_plist().get_nfilters()) - 1
        d.id.write_direct_chunk((0,) * len(chunks), piece.tobytes(), mask)


def hdf5(r, g, path):
    import h5py

    version = r.choice(VERSIONS)
    options = {"userblock_size": r.choice([512, 1024, 4096])} if r.random() < 0.15 else {}
    with h5py.File(path, "w", libver=("earliest" if version == "earliest" else (version, version if version != "latest" else "latest")), track_order=r.random() < 0.3, **options) as f:
        groups = [f]
        for i in range(r.choice([0, 0, 1, 2])):
            groups.append(r.choice(groups).create_group(f"gr\u00fc{i}", track_order=r.random() < 0.3))
        for i in range(r.choice([1, 2, 4, 12])):
            group = r.choice(groups)
            hdf5_dataset(r, g, h5py, group, f"v{i}", version)
            if f"v{i}" in group:
                for a in range(r.choice([0, 0, 2, 12])):
                    group[f"v{i}"].attrs[f"a{a}"] = r.choice([1, 2.5, "text", np.arange(3)])
        if r.random() < 0.4:
            for i in range(r.choice([1, 3])):
                odd_object(r, h5py, r.choice(groups), f"odd{i}")
        if r.random() < 0.2:
            groups[-1]["up"] = f
    found = {}
    with h5py.File(path) as f:
        def visit(name, item):
            if isinstance(item, h5py.Dataset) and item.shape is not None and item.dtype.kind in "iufb" and item.dtype.subdtype is None:
                refused = item.dtype.itemsize > 8 or name.split("/")[-1].startswith(("szip", "virtual"))
                if not item.dtype.metadata and not refused:
                    found[name] = item[()].astype("f8")
        f.visititems(visit)
    return found


NETCDF_TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def netcdf(r, g, path, form):
    import netCDF4

    rich = form == "NETCDF4"
    types = NETCDF_TYPES if form in ("NETCDF4", "NETCDF3_64BIT_DATA") else ["i1", "i2", "i4", "f4", "f8"]
    with netCDF4.Dataset(path, "w", format=form) as f:
        sizes = {}
        unlimited = set()
        for i in range(r.randint(1, 4)):
            name = f"d{i}"
            sizes[name] = r.choice([1, 2, 3, 5, 8])
            if (rich and r.random() < 0.4) or (not rich and i == 0 and r.random() < 0.6):
                unlimited.add(name)
            f.createDimension(name, None if name in unlimited else sizes[name])
        holders = [f] + ([f.createGroup("g\u00e9")] if rich and r.random() < 0.4 else [])
        for i in range(r.choice([1, 2, 4, 10])):
            dtype = r.choice(types)
            rank = r.randint(0, min(4, len(sizes)))
            dims = r.sample(sorted(sizes), rank)
            if not rich:
                dims.sort(key=lambda d: d not in unlimited)
            options = {}
            if rich and rank:
                options["zlib"] = r.random() < 0.5
                options["shuffle"] = r.random() < 0.5
                options["fletcher32"] = r.random() < 0.3
                options["endian"] = r.choice(["native", "little", "big"])
                if r.random() < 0.5:
                    options["chunksizes"] = [r.randint(1, sizes[d]) for d in dims]
            fill = r.random()
            if fill < 0.3:
                options["fill_value"] = np.array(r.randint(0, 90), dtype)
            elif fill < 0.4 and rich:
                options["fill_value"] = False
            name = r.choice([f"v{i}", f"v{i}", dims[0] if rank > 1 else f"v{i}", dims[0] if rank == 1 else f"v{i}"])
            holder = r.choice(holders)
            if name in holder.variables:
                continue
            v = holder.createVariable(name, dtype, dims, **options)
            integer = dtype[0] in "iu"
            if r.random() < 0.25:
                v.scale_factor = 0.25
                v.add_offset = 3.0
            if r.random() < 0.2:
                v.missing_value = np.array([r.randint(0, 50) for _ in range(r.choice([1, 2]))], dtype)
            if integer and dtype[0] == "i" and dtype != "i8" and r.random() < 0.15:
                v.setncattr("_Unsigned", "true")
            elif r.random() < 0.15:
                v.valid_min = np.array(-20 if dtype[0] != "u" else 5, dtype)
            elif r.random() < 0.15:
                v.valid_range = np.array([0, 60], dtype)
            v.set_auto_maskandscale(False)
            shape = [sizes[d] for d in dims]
            data = numbers(r, g, dtype, shape)
            written = r.random()
            if not rank:
                v[...] = data
            elif written < 0.6 or options.get("fill_value") is False:
                shorter = [r.randint(1, n) if d in unlimited else n for n, d in zip(shape, dims)]
                if r.random() < 0.6:
                    shorter = shape
                where = tuple(slice(0, n) for n in shorter)
                v[where] = data[where]
            elif written < 0.9:
                slab = some_slab(r, shape)
                v[slab] = data[slab]
    found = {}
    with netCDF4.Dataset(path) as f:
        f.set_auto_maskandscale(False)
        def walk(group, prefix):
            for name, v in group.variables.items():
                no_fill = rich and v.get_fill_value() is None
                growing = any(f.dimensions[d].isunlimited() for d in v.dimensions)
                if v.size and not (no_fill and growing):
                    raw, there = raw_values(path, prefix, name, v) if form.startswith("NETCDF4") else (v[...], True)
                    found[prefix + name] = decode(raw, there, {a: v.getncattr(a) for a in v.ncattrs()})
            for name, child in group.groups.items():
                walk(child, prefix + name + "/")
        walk(f, "")
    return found


def raw_values(path, prefix, name, v):
    """By h5py: netCDF-C 4.9 mixes up variables that are shorter than an unlimited dimension other
    than their first."""
    import h5py

    with h5py.File(path) as f:
        group = f[prefix or "/"]
        stored = group["_nc4_non_coord_" + name if "_nc4_non_coord_" + name in group else name][...]
    raw = np.zeros(v.shape, stored.dtype)
    there = np.zeros(v.shape, bool)
    corner = tuple(slice(0, n) for n in stored.shape)
    raw[corner] = stored
    there[corner] = True
    return raw, there


def decode(raw, there, attributes):
    """The conventions as docs/data.md states them."""
    import netCDF4

    raw = np.asarray(raw)
    raw = raw.astype(raw.dtype.newbyteorder("="))
    unsigned = raw.dtype.kind == "i" and attributes.get("_Unsigned") == "true"
    code = raw.dtype.str[1:]
    view = (lambda x: np.asarray(x, raw.dtype).view("u" + code[1:])) if unsigned else (lambda x: np.asarray(x, raw.dtype))
    values = view(raw)
    missing = ~np.broadcast_to(there, raw.shape)
    marks = []
    if "_FillValue" in attributes:
        marks.append(attributes["_FillValue"])
    elif not unsigned and code[1:] != "1":
        marks.append(netCDF4.default_fillvals[code])
    marks.extend(np.atleast_1d(attributes.get("missing_value", [])))
    for mark in marks:
        missing = missing | (values == view(mark))
    low, high = attributes.get("valid_range", [attributes.get("valid_min"), attributes.get("valid_max")])
    if low is not None:
        missing = missing | (values < view(low))
    if high is not None:
        missing = missing | (values > view(high))
    values = values.astype("f8")
    if "scale_factor" in attributes:
        values = values * attributes["scale_factor"] + attributes["add_offset"]
    return np.where(missing, np.nan, values)


NUMPY_TYPES = HDF5_TYPES


def numpy_array(r, g):
    shape = lengths(r, r.choice([1, 1, 2, 3]))
    array = numbers(r, g, r.choice(NUMPY_TYPES), shape)
    if r.random() < 0.3:
        array = np.asfortranarray(array)
    return array


def stored_order(array):
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    return array.astype("f8").ravel(order="F" if fortran else "C")


def npy(r, g, path):
    array = numpy_array(r, g)
    with open(path, "wb") as f:
        np.lib.format.write_array(f, array, version=r.choice([(1, 0), (2, 0), None]))
    return {"data": stored_order(np.load(path))}


def npz(r, g, path):
    arrays = {f"a{i}": numpy_array(r, g) for i in range(r.randint(1, 5))}
    extra = {"words": np.array(["x", "yy"])} if r.random() < 0.3 else {}
    r.choice([np.savez, np.savez_compressed])(path, **arrays, **extra)
    with np.load(path) as z:
        return {name: stored_order(z[name]) for name in arrays}


def csv(r, g, path):
    import pandas

    rows = r.choice([1, 7, 300, 3000])
    table = pandas.DataFrame({f"c{i}{' x' * r.randint(0, 3)}": numbers(r, g, r.choice(["f8", "f4", "i4", "i8"]), rows).astype("f8") for i in range(r.randint(2, 6))})
    table[table > r.choice([1, 5, 50])] = np.nan
    if r.random() < 0.3:
        table["jour d\u2019\u00e9t\u00e9"] = numbers(r, g, "f4", rows).astype("f8")
    separator, decimal = r.choice([(",", "."), (";", ","), (";", "."), ("\t", "."), ("\t", ","), ("|", "."), ("|", ",")])
    options = {"encoding": r.choice(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])}
    options["lineterminator"] = r.choice(["\n", "\r\n", "\r"])
    options["quoting"] = r.choice([0, 0, 1, 2])
    options["na_rep"] = r.choice(["", "NA", "NaN", "null"])
    options["compression"] = r.choice([None, None, "gzip"])
    options["index"] = r.random() < 0.5
    table.to_csv(path, sep=separator, decimal=decimal, **options)
    back = pandas.read_csv(path, sep=separator, decimal=decimal, encoding=options["encoding"].replace("-sig", ""), compression=options["compression"], float_precision="round_trip")
    return {name: back[name].to_numpy("f8") for name in table.columns}


def idx(r, g, path):
    code, dtype = r.choice([(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
    array = numbers(r, g, dtype, lengths(r, r.choice([1, 2, 3, 4])))
    data = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    with open(path, "wb") as f:
        f.write(data)
    return {"values": array.astype("f8").ravel()}


KINDS = {
    "hdf5": (hdf5, ".h5"),
    "netcdf4": (lambda r, g, path: netcdf(r, g, path, r.choice(["NETCDF4", "NETCDF4", "NETCDF4_CLASSIC"])), ".nc"),
    "classic": (lambda r, g, path: netcdf(r, g, path, r.choice(["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])), ".nc"),
    "npy": (npy, ".npy"),
    "npz": (npz, ".npz"),
    "csv": (csv, ".csv"),
    "idx": (idx, ".idx"),
}


def main():
    kind, folder, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    make, ending = KINDS[kind]
    for n in range(count):
        r = random.Random(f"{seed} {n}")
        g = np.random.default_rng([seed, n])
        path = os.path.join(folder, f"{n}{ending}")
        found = make(r, g, path)
        with open(os.path.join(folder, f"{n}.txt"), "w", encoding="utf-8") as out:
            for name, values in found.items():
                out.write(f"{name}\t{values.size}\n")
        with open(os.path.join(folder, f"{n}.f64"), "wb") as out:
            for values in found.values():
                out.write(np.asarray(values, "<f8").tobytes())


main()

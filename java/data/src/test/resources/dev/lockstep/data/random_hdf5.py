"""Random HDF5 files by h5py."""

import h5py
import numpy as np
from random_numbers import TYPES, lengths, numbers, some_slab

VERSIONS = ["earliest", "v108", "v110", "v112", "v114", "latest"]


def odd_object(r, group, name):
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


def hdf5_dataset(r, g, group, name, version):
    dtype = np.dtype(r.choice(TYPES))
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
    version = r.choice(VERSIONS)
    options = {"userblock_size": r.choice([512, 1024, 4096])} if r.random() < 0.15 else {}
    with h5py.File(path, "w", libver=("earliest" if version == "earliest" else (version, version if version != "latest" else "latest")), track_order=r.random() < 0.3, **options) as f:
        groups = [f]
        for i in range(r.choice([0, 0, 1, 2])):
            groups.append(r.choice(groups).create_group(f"gr\u00fc{i}", track_order=r.random() < 0.3))
        for i in range(r.choice([1, 2, 4, 12])):
            group = r.choice(groups)
            hdf5_dataset(r, g, group, f"v{i}", version)
            if f"v{i}" in group:
                for a in range(r.choice([0, 0, 2, 12])):
                    group[f"v{i}"].attrs[f"a{a}"] = r.choice([1, 2.5, "text", np.arange(3)])
        if r.random() < 0.4:
            for i in range(r.choice([1, 3])):
                odd_object(r, r.choice(groups), f"odd{i}")
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

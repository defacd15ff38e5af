"""Random NetCDF files by netCDF4."""

import h5py
import netCDF4
import numpy as np
from random_numbers import numbers, some_slab

NETCDF_TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def netcdf(r, g, path, form):
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



CONVENTION_TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"]


def conventions(r, g, path):
    """Files as programs write them, read by xarray itself or, with valid ranges, which xarray
    ignores, by netCDF4 itself."""
    import xarray

    form = r.choice(["NETCDF4", "NETCDF3_64BIT_OFFSET"])
    ranges = r.random() < 0.5
    with netCDF4.Dataset(path, "w", format=form) as f:
        f.createDimension("time", 4)
        f.createDimension("bnds", 2)
        time = f.createVariable("time", "f8", ("time",))
        time.units, time.calendar, time.bounds = "days since 1990-01-01", "noleap", "time_bnds"
        time[:] = [15.5, 45.0, 74.5, 105.0]
        f.createVariable("time_bnds", "f8", ("time", "bnds"))[:] = np.arange(8.0).reshape(4, 2)
        for i in range(r.choice([1, 3, 6])):
            dtype = np.dtype(r.choice(CONVENTION_TYPES if form == "NETCDF4" else ["i1", "i2", "i4", "f4", "f8"]))
            fill = numbers(r, g, dtype, ())[()] if r.random() < 0.6 else None
            v = f.createVariable(f"v{i}", dtype, ("time", "bnds"), fill_value=fill)
            v.set_auto_maskandscale(False)
            if r.random() < 0.5 and dtype.itemsize < 4:
                v.scale_factor, v.add_offset = float(r.choice([0.5, 0.01, 1e-3])), float(r.choice([0, 273.15, -40]))
            if fill is not None and r.random() < 0.3:
                v.missing_value = fill
            if dtype.kind == "i" and dtype.itemsize < 4 and r.random() < 0.4:
                v.setncattr("_Unsigned", "true")
            elif ranges and r.random() < 0.7:
                v.valid_min, v.valid_max = np.array(-30 if dtype.kind != "u" else 3, dtype), np.array(60, dtype)
            data = numbers(r, g, dtype, (4, 2))
            if fill is not None:
                data[g.random((4, 2)) < 0.3] = fill
            v[:] = data
    if ranges:
        with netCDF4.Dataset(path) as f:
            return {name: np.ma.filled(np.ma.asarray(v[...]).astype("f8"), np.nan) for name, v in f.variables.items()}
    with xarray.open_dataset(path, decode_times=False, engine="netcdf4") as d:
        return {name: d[name].values.astype("f8") for name in d.variables}

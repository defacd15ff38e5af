"""Random NumPy, CSV and IDX files by NumPy and pandas."""

import numpy as np
import pandas
from random_numbers import TYPES, lengths, numbers


def numpy_array(r, g):
    shape = lengths(r, r.choice([1, 1, 2, 3]))
    array = numbers(r, g, r.choice(TYPES), shape)
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

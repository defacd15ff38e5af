"""Writes random data files and what an independent reader finds in them.

usage: random_files.py KIND FOLDER SEED COUNT      KIND: a key of KINDS below

For each file N: FOLDER/N.<ending>, FOLDER/N.txt with a line "name<TAB>count" for each variable, and
FOLDER/N.f64 with all values as little-endian float64, missing ones as NaN.
"""

import importlib
import os
import random
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")

# Module, function, ending, and what else the function takes: one of these.
KINDS = {
    "hdf5": ("random_hdf5", "hdf5", ".h5", []),
    "netcdf4": ("random_netcdf", "netcdf", ".nc", ["NETCDF4", "NETCDF4", "NETCDF4_CLASSIC"]),
    "classic": ("random_netcdf", "netcdf", ".nc", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]),
    "conventions": ("random_netcdf", "conventions", ".nc", []),
    "npy": ("random_tables", "npy", ".npy", []),
    "npz": ("random_tables", "npz", ".npz", []),
    "csv": ("random_tables", "csv", ".csv", []),
    "idx": ("random_tables", "idx", ".idx", []),
    "zarr": ("random_zarr", "store", ".zarr", []),
}


def main():
    kind, folder, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    module, function, ending, variants = KINDS[kind]
    make = getattr(importlib.import_module(module), function)
    for n in range(count):
        r = random.Random(f"{seed} {n}")
        g = np.random.default_rng([seed, n])
        path = os.path.join(folder, f"{n}{ending}")
        found = make(r, g, path, *([r.choice(variants)] if variants else []))
        with open(os.path.join(folder, f"{n}.txt"), "w", encoding="utf-8") as out:
            for name, values in found.items():
                out.write(f"{name}\t{values.size}\n")
        with open(os.path.join(folder, f"{n}.f64"), "wb") as out:
            for values in found.values():
                out.write(np.asarray(values, "<f8").tobytes())


main()

"""Shapes and numbers for random files."""

import numpy as np

TYPES = ["i1", "u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8", ">u8",
         "<f2", "<f4", ">f4", "<f8", ">f8", "?"]


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

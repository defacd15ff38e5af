"""Compares arrays with what ArrayWritersTest writes: half of each position, NaN in every fourth piece of 11.

Argument: a folder of NAME.zarr, NAME.npz and NAME.nc with the same arrays.
"""

import pathlib
import sys

import numpy as np
import xarray

right = 0


def check(where, values, shape, dtype):
    global right
    values = np.asarray(values)
    position = np.arange(values.size)
    expected = np.where(position // 11 % 4 == 3, np.nan, position / 2)
    np.testing.assert_array_equal(values.ravel(), expected, err_msg=where)
    assert values.shape == shape and values.dtype == dtype, where
    right += values.size


for archive in sorted(pathlib.Path(sys.argv[1]).glob("*.npz")):
    with (
        np.load(archive) as arrays,
        xarray.open_zarr(archive.with_suffix(".zarr"), consolidated=True) as store,
        xarray.open_dataset(archive.with_suffix(".nc"), engine="netcdf4") as netcdf,
    ):
        assert set(arrays) == set(store.data_vars) == set(netcdf.data_vars), archive
        for name in arrays:
            shape, dtype = netcdf[name].shape, netcdf[name].dtype
            check(f"{archive} {name}", arrays[name], shape, dtype)
            check(f"{archive} {name} in Zarr", store[name], shape, dtype)
            check(f"{archive} {name} in NetCDF", netcdf[name], shape, dtype)
            assert store[name].dims == netcdf[name].dims
print(f"all {right} values are right")

"""What xarray makes of a Zarr store and NumPy of an archive, as text.

Arguments: the store, the archive. One line a variable of the store, as print_netcdf.py does; then one an
array of the archive: name, type, shape, values.
"""

import sys

import numpy as np
import xarray
import zarr

zarr.open_group(sys.argv[1], mode="r")
with xarray.open_zarr(sys.argv[1], consolidated=True) as data:
    for name in sorted(data.variables):
        v = data[name]
        units = v.attrs.get("units", v.encoding.get("units", ""))
        if v.dtype.kind in "mMO":
            values = [str(t)[:10] for t in v.values.ravel()]
        else:
            values = [repr(float(x)) for x in np.asarray(v.values, "f8").ravel()]
        print(";".join([name, ",".join(v.dims), units, v.attrs.get("long_name", ""), " ".join(values)]))
    print(sorted(data.attrs))
with np.load(sys.argv[2]) as arrays:
    for name in sorted(arrays):
        a = arrays[name]
        print(";".join([name, a.dtype.str, str(a.shape), " ".join(repr(float(x)) for x in a.ravel())]))

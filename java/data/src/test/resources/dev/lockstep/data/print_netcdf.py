"""What xarray makes of a NetCDF file, as text.

Argument: the file. One line a variable: name; dimensions; units; long_name; values by repr, times by
ISO 8601, missing ones as nan. Then the file's attributes: name = value.
"""

import sys

import numpy as np
import xarray

with xarray.open_dataset(sys.argv[1], engine="netcdf4") as data:
    for name in sorted(data.variables):
        v = data[name]
        units = v.attrs.get("units", v.encoding.get("units", ""))
        if v.dtype.kind in "mMO":
            values = [str(t)[:10] for t in v.values.ravel()]
        else:
            values = [repr(float(x)) for x in np.asarray(v.values, "f8").ravel()]
        print(";".join([name, ",".join(v.dims), units, v.attrs.get("long_name", ""), " ".join(values)]))
    for name, value in sorted(data.attrs.items()):
        print(f"{name} = {value}")

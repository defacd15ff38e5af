/** NetCDF classic files (CDF-1, CDF-2, CDF-5): reading, and writing tables. NetCDF-4 is HDF5. */
@NullMarked
package dev.lockstep.data.netcdf;

import org.jspecify.annotations.NullMarked;

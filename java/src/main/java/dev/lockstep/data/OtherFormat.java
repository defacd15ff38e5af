package dev.lockstep.data;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** Formats that are not read but often tried, by their first bytes, with what to do instead. */
enum OtherFormat {
  MATLAB_5("MATLAB 5", "is a MATLAB file older than 7.3; save it with -v7.3"),
  HDF4("\u000e\u0003\u0013\u0001", "is HDF4; convert it to NetCDF or HDF5 (h4toh5)"),
  GRIB("GRIB", "is GRIB; convert it to NetCDF (cdo -f nc copy)"),
  FITS("SIMPLE  ", "is FITS; write it as NetCDF, HDF5 or NPY"),
  PARQUET("PAR1", "is Parquet; write it as CSV (DataFrame.to_csv) or NPY"),
  ARROW("ARROW1", "is Arrow (Feather); write it as CSV (DataFrame.to_csv) or NPY"),
  EXCEL("\u00d0\u00cf\u0011\u00e0", "is an old Excel file; save it as CSV"),
  PICKLE("\u0080\u0004", "looks like a Python pickle; write it as NPZ (numpy.savez)"),
  BZIP2("BZh", "is compressed with bzip2; unpack it (bunzip2)"),
  XZ("\u00fd7zXZ", "is compressed with xz; unpack it (unxz)"),
  ZSTANDARD("(\u00b5/\u00fd", "is compressed with Zstandard; unpack it (unzstd)");

  private final byte[] start;
  private final String problem;

  OtherFormat(String start, String problem) {
    this.start = start.getBytes(StandardCharsets.ISO_8859_1);
    this.problem = problem;
  }

  /** What is wrong with a file that starts like this; empty if nothing is known. */
  static Optional<String> of(byte[] first) {
    return Arrays.stream(values())
        .filter(format -> first.length >= format.start.length)
        .filter(format -> Arrays.equals(format.start, Arrays.copyOf(first, format.start.length)))
        .map(format -> format.problem)
        .findFirst();
  }
}

package dev.lockstep.data;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/** Formats that are not read but often tried, by their first bytes, with what to do instead. */
enum OtherFormat {
  MATLAB_5("MATLAB 5", "is a MATLAB file older than 7.3; save it with -v7.3"),
  HDF4("\u000e\u0003\u0013\u0001", "is HDF4; convert it to NetCDF or HDF5 (h4toh5)"),
  GRIB(
      "GRIB",
      "is GRIB; convert it to NetCDF (cdo -f nc copy IN OUT, or grib_to_netcdf of ecCodes)"),
  FITS("SIMPLE  ", "is FITS; write it as NetCDF, HDF5 or NPY"),
  ARROW("ARROW1", "is Arrow (Feather); write it as CSV (DataFrame.to_csv) or NPY"),
  EXCEL("\u00d0\u00cf\u0011\u00e0", "is an old Excel file; save it as CSV"),
  PICKLE("\u0080\u0004", "looks like a Python pickle; write it as NPZ (numpy.savez)"),
  BZIP2("BZh", "is compressed with bzip2; unpack it (bunzip2)"),
  XZ("\u00fd7zXZ", "is compressed with xz; unpack it (unxz)"),
  ZSTANDARD("(\u00b5/\u00fd", "is compressed with Zstandard; unpack it (unzstd)"),
  GIT_LFS("version https://git-lfs", "is a pointer of Git LFS to a file; get that (git lfs pull)"),
  DOCTYPE("<!DOCTYPE", "is a web page, perhaps the server's error; fetch the file again"),
  HTML("<html", "is a web page, perhaps the server's error; fetch the file again");

  /** So many bytes tell all of them apart. */
  static final int START_BYTES = 32;

  private final byte[] start;
  private final String problem;

  OtherFormat(String start, String problem) {
    this.start = start.getBytes(StandardCharsets.ISO_8859_1);
    this.problem = problem;
  }

  /** Whether no table starts like this, whatever the file's name says. */
  static boolean isNoTable(byte[] first) {
    return Stream.of(GIT_LFS, DOCTYPE, HTML).anyMatch(format -> format.matches(first));
  }

  private boolean matches(byte[] first) {
    return first.length >= start.length && Arrays.equals(start, Arrays.copyOf(first, start.length));
  }

  /** What is wrong with a file that starts like this; empty if nothing is known. */
  static Optional<String> of(byte[] first) {
    return Arrays.stream(values())
        .filter(format -> format.matches(first))
        .map(format -> format.problem)
        .findFirst();
  }
}

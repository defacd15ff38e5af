package dev.lockstep.data;

import dev.lockstep.data.DataConfig.Format;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;

/** Opens and describes data files. */
public final class DataFiles {
  private DataFiles() {}

  /**
   * Opens the samples that a configuration names. Looks at every point once when points with
   * missing values are to be dropped.
   *
   * @return the data set; the caller closes it
   * @throws DataException if the file cannot be read
   * @throws IllegalArgumentException if the file does not have what the configuration asks for
   */
  public static Dataset open(DataConfig config) {
    // A quarter of the heap leaves room for the model; larger data is read again when it is needed.
    return open(config, Runtime.getRuntime().maxMemory() / 4);
  }

  /** Like {@link #open(DataConfig)} with a limit, in bytes, for the values kept in memory. */
  static Dataset open(DataConfig config, long cacheBytes) {
    ArrayFile file = openArrays(config);
    try {
      return new GridDataset(
          file,
          config.features(),
          FeatureConfig.ofVariables(config.targets()),
          config.dropMissing(),
          cacheBytes);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static ArrayFile openArrays(DataConfig config) {
    if (config.synthetic() != null) {
      return new SyntheticData(config.synthetic());
    }
    return openArrays(Path.of(Objects.requireNonNull(config.path())), config.format());
  }

  static ArrayFile openArrays(Path path, Format format) {
    return switch (format == Format.AUTO ? detect(path) : format) {
      case NETCDF -> NetcdfFile.open(path);
      default -> throw new IllegalArgumentException(path + ": only NetCDF classic is read so far");
    };
  }

  private static Format detect(Path path) {
    byte[] start;
    try (InputStream in = Files.newInputStream(path)) {
      start = in.readNBytes(8);
    } catch (IOException e) {
      throw new DataException(
          path.toString(), "cannot be opened; check that it exists and may be read", e);
    }
    String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
    if (startsWith(start, 'C', 'D', 'F')) {
      return Format.NETCDF;
    }
    if (startsWith(start, 0x89, 'H', 'D', 'F')) {
      return Format.HDF5;
    }
    if (startsWith(start, 0x93, 'N', 'U', 'M', 'P', 'Y')) {
      return Format.NPY;
    }
    if (startsWith(start, 'P', 'K')) {
      return Format.NPZ;
    }
    if (name.endsWith(".csv") || name.endsWith(".txt")) {
      return Format.CSV;
    }
    throw new DataException(
        path.toString(),
        "is not NetCDF, HDF5, NPY or NPZ by its first bytes and not CSV by its name; set format:");
  }

  private static boolean startsWith(byte[] bytes, int... expected) {
    for (int i = 0; i < expected.length; i++) {
      if (i >= bytes.length || Byte.toUnsignedInt(bytes[i]) != expected[i]) {
        return false;
      }
    }
    return true;
  }
}

package dev.lockstep.data;

import static java.util.Objects.requireNonNull;

import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.csv.CsvFile;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.data.field.JoinedFiles;
import dev.lockstep.data.hdf5.Hdf5File;
import dev.lockstep.data.netcdf.NetcdfFile;
import dev.lockstep.data.npy.NpyFile;
import dev.lockstep.data.npy.NpzFile;
import dev.lockstep.data.parquet.ParquetFile;
import dev.lockstep.data.zarr.ZarrFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Opens, describes and creates data files. */
public final class DataFiles {
  private static final int ROWS_AT_ONCE = 1024;

  /** How the names of tables end, also before {@code .gz}. */
  private static final List<String> TABLES = List.of(".csv", ".tsv", ".tab", ".txt");

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
    requireNonNull(config, "config");
    // A quarter of the heap for each leaves room for the model; larger data is read again when it
    // is needed.
    long quarter = Runtime.getRuntime().maxMemory() / 4;
    return config.ofFields() ? openFields(config, 2 * quarter) : open(config, quarter);
  }

  /** Likewise with limits, in bytes, for the file's values and for the rows kept in memory. */
  static Dataset open(DataConfig config, long quarter) {
    GridDataset dataset = openGrid(config, quarter);
    if (ResidentDataset.fits(dataset, quarter)) {
      return ResidentDataset.of(dataset, quarter);
    }
    return dataset.isReadInLargePieces() ? new SpooledDataset(dataset) : dataset;
  }

  /** The samples as they are in the file, with a limit, in bytes, for the values kept in memory. */
  static GridDataset openGrid(DataConfig config, long cacheBytes) {
    ArrayFile file = openArrays(config);
    try {
      return new GridDataset(
          file,
          config.features(),
          FeatureConfig.ofVariables(config.targets().stream().map(TargetConfig::variable).toList()),
          config.dropMissing(),
          cacheBytes);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static Dataset openFields(DataConfig config, long cacheBytes) {
    ArrayFile file = openJoined(config.path(), config.format(), config.samples().get(0));
    try {
      return new FieldDataset(file, config, cacheBytes);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /**
   * Opens files of fields as one.
   *
   * @param path files, or names with {@code *}
   * @param dimension along which several are joined
   * @throws DataException if one cannot be read, or does not fit the first
   */
  public static ArrayFile openJoined(List<String> path, Format format, String dimension) {
    requireNonNull(path, "path");
    requireNonNull(format, "format");
    requireNonNull(dimension, "dimension");
    return JoinedFiles.open(path, one -> openArrays(one, format), dimension);
  }

  /** {@link #describe(Path, Format)} with the format detected. */
  public static FileDescription describe(Path path) {
    return describe(path, Format.AUTO);
  }

  /**
   * Says what a file holds; reads all of its values.
   *
   * @param format the file's format; {@link Format#AUTO} detects it
   * @throws DataException if the file cannot be read
   */
  public static FileDescription describe(Path path, Format format) {
    requireNonNull(path, "path");
    requireNonNull(format, "format");
    try (ArrayFile file = openArrays(path, format)) {
      return FileDescription.of(file);
    }
  }

  /**
   * Writes synthetic data as a table with the columns x0, x1, … and y0, y1, ….
   *
   * @param config how much, and from which seed
   * @param path the file; it ends in {@code .csv}, {@code .npy} or {@code .nc}
   * @throws IllegalArgumentException if the name has none of these endings
   * @throws DataException if the file cannot be written
   */
  public static void create(SyntheticConfig config, Path path) {
    requireNonNull(config, "config");
    requireNonNull(path, "path");
    List<String> names = new ArrayList<>(config.featureNames());
    names.addAll(config.targetNames());
    ArrayFile data = new SyntheticData(config);
    double[] rows = new double[ROWS_AT_ONCE * names.size()];
    double[] column = new double[ROWS_AT_ONCE];
    try (TableWriter writer = TableWriter.create(path, names, config.samples())) {
      for (long from = 0; from < config.samples(); from += ROWS_AT_ONCE) {
        int count = (int) Math.min(ROWS_AT_ONCE, config.samples() - from);
        for (int c = 0; c < names.size(); c++) {
          data.read(data.variables().get(c), from, count, column);
          for (int i = 0; i < count; i++) {
            rows[i * names.size() + c] = column[i];
          }
        }
        writer.write(rows, count);
      }
    }
  }

  private static ArrayFile openArrays(DataConfig config) {
    if (config.synthetic() != null) {
      return new SyntheticData(config.synthetic());
    }
    return openArrays(config.path().get(0), config.format());
  }

  /** A file, or a Zarr store on a web server: its address ends in .zarr, or the format says so. */
  private static ArrayFile openArrays(String name, Format format) {
    boolean store = format == Format.ZARR || name.matches(".*\\.zarr/?");
    if (!store || !name.matches("https?://.*")) {
      return openArrays(Path.of(name), format);
    }
    String header = System.getenv("LOCKSTEP_HTTP_HEADER");
    return ZarrFile.open(name, header == null ? "" : header);
  }

  static ArrayFile openArrays(Path path, Format format) {
    return switch (format == Format.AUTO ? detect(path) : format) {
      case NETCDF -> NetcdfFile.open(path);
      case HDF5 -> Hdf5File.open(path);
      case CSV -> CsvFile.open(path);
      case NPY -> NpyFile.open(path);
      case NPZ -> NpzFile.open(path);
      case IDX -> IdxFile.open(path);
      case ZARR -> ZarrFile.open(path);
      case PARQUET -> ParquetFile.open(path);
      case AUTO -> throw new IllegalStateException("detect() found no format");
    };
  }

  private static Format detect(Path path) {
    if (Files.isDirectory(path) && ZarrFile.recognises(path)) {
      return Format.ZARR;
    }
    byte[] start;
    try (InputStream in = Files.newInputStream(path)) {
      start = in.readNBytes(OtherFormat.START_BYTES);
      if (Hdf5File.recognises(path)) {
        return Format.HDF5;
      }
    } catch (IOException e) {
      throw DataException.cannotOpen(path, e);
    }
    String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
    if (startsWith(start, 'C', 'D', 'F')) {
      return Format.NETCDF;
    }
    if (startsWith(start, 0x93, 'N', 'U', 'M', 'P', 'Y')) {
      return Format.NPY;
    }
    if (startsWith(start, 'P', 'A', 'R', '1')) {
      return Format.PARQUET;
    }
    if (startsWith(start, 'P', 'K')) {
      return ZarrFile.recognises(path) ? Format.ZARR : Format.NPZ;
    }
    boolean gzip = startsWith(start, 0x1F, 0x8B);
    if (name.endsWith(".gz")) {
      name = name.substring(0, name.length() - 3);
    }
    if (TABLES.stream().anyMatch(name::endsWith) && !OtherFormat.isNoTable(start)) {
      return Format.CSV;
    }
    if (IdxFile.is(path)) {
      return Format.IDX;
    }
    if (gzip) {
      throw new DataException(
          path.toString(),
          "is compressed with gzip; unpack it (gunzip), or set format: csv if it is a table");
    }
    if (start.length == 0) {
      throw new DataException(path.toString(), "is empty: it has 0 bytes; fetch or write it again");
    }
    throw new DataException(
        path.toString(),
        OtherFormat.of(start)
            .orElse(
                "is not NetCDF, HDF5, NPY or NPZ by its first bytes and not a table by its name"
                    + " (.csv, .tsv, .txt); set format"));
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

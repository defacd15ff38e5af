package dev.lockstep.data.hdf5;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.ChunkCache;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Packing;
import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.hdf5.Datatype.Kind;
import dev.lockstep.data.hdf5.NetcdfDimensions.Shaped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An HDF5 file, and so a NetCDF-4 file. Dimension scales name the dimensions; an array without
 * scales is a table like a NumPy array: samples first, then columns. Not thread-safe.
 */
public final class Hdf5File implements ArrayFile {
  private static final int MIN_BLOCK_VALUES = 4096;
  private static final int MAX_BLOCK_VALUES = 1 << 20;
  private static final long CACHE_SHARE = 8;

  /** So many values, 128 MiB, may be there without having been written. */
  private static final long MOST_UNWRITTEN = 1L << 24;

  /** One byte of DEFLATE stands for at most 1032 bytes. */
  private static final long MOST_VALUES_PER_BYTE = 1032;

  private static final String NON_COORDINATE = "_nc4_non_coord_";
  private static final String BARE_DIMENSION =
      "This is a netCDF dimension but not a netCDF variable";

  private final String location;
  private final Storage storage;
  private final ChunkCache cache = new ChunkCache(Runtime.getRuntime().maxMemory() / CACHE_SHARE);
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final List<Unreadable> unreadable = new ArrayList<>();
  private final boolean isNetcdf;

  private record Entry(Variable variable, Packing packing, ValueReader reader, int blockLength) {}

  private record Found(String name, ObjectHeader header, Datatype type, Shaped shaped) {}

  private Hdf5File(String location, Storage storage) {
    this.location = location;
    this.storage = storage;
    Attributes attributes = new Attributes(storage, new GlobalHeap(storage));
    Map<String, Object> root = attributes.of(ObjectHeader.read(storage, storage.root));
    ObjectTree tree = ObjectTree.walk(storage);
    unreadable.addAll(tree.unreadable());
    List<Found> found = new ArrayList<>();
    tree.datasets().forEach((name, header) -> find(name, header, attributes, found));
    isNetcdf =
        root.containsKey("_NCProperties")
            || root.containsKey("_nc3_strict")
            || found.stream().anyMatch(f -> isOfNetcdf(f.shaped.attributes()));
    NetcdfDimensions dimensions = new NetcdfDimensions(found.stream().map(Found::shaped).toList());
    found.forEach(f -> addEntry(f, dimensions));
  }

  /**
   * Opens a file and reads its structure.
   *
   * @throws DataException if it is no HDF5 file, or damaged where its structure is
   */
  public static Hdf5File open(Path file) {
    Storage storage;
    try {
      storage = Storage.open(file);
    } catch (IOException e) {
      throw DataException.cannotOpen(file, e);
    } catch (RuntimeException e) {
      throw new DataException(file.toString(), UnreadableException.reason(e), e);
    }
    try {
      return new Hdf5File(file.toString(), storage);
    } catch (RuntimeException e) {
      close(file.toString(), storage);
      throw new DataException(file.toString(), UnreadableException.reason(e), e);
    }
  }

  /**
   * Whether a file is HDF5 by its signature, also after a user block.
   *
   * @throws IOException if the file cannot be read
   */
  public static boolean recognises(Path file) throws IOException {
    return Storage.isHdf5(file);
  }

  private static boolean isOfNetcdf(Map<String, Object> attributes) {
    return attributes.containsKey("_Netcdf4Dimid")
        || attributes.containsKey("_Netcdf4Coordinates")
        || isBareDimension(attributes);
  }

  /** NetCDF-4 keeps the length of a dimension without coordinates in a scale without values. */
  private static boolean isBareDimension(Map<String, Object> attributes) {
    return attributes.get("NAME") instanceof String name && name.startsWith(BARE_DIMENSION);
  }

  private void find(String name, ObjectHeader header, Attributes attributes, List<Found> found) {
    String type = "data set";
    try {
      Datatype datatype = Datatype.parse(header.require(ObjectHeader.DATATYPE, "type"));
      type = datatype.label();
      Dataspace space = Dataspace.parse(storage, header.require(ObjectHeader.DATASPACE, "shape"));
      Shaped shaped = new Shaped(name, header.address(), space, attributes.of(header));
      found.add(new Found(name, header, datatype, shaped));
    } catch (RuntimeException e) {
      unreadable.add(new Unreadable(name, type, List.of(), UnreadableException.reason(e)));
    }
  }

  private void addEntry(Found found, NetcdfDimensions allDimensions) {
    Map<String, Object> attributes = found.shaped.attributes();
    if (isBareDimension(attributes)) {
      return;
    }
    String name = found.name;
    int slash = name.lastIndexOf('/') + 1;
    if (name.startsWith(NON_COORDINATE, slash)) {
      // NetCDF-4 renames a variable that is called like a dimension but does not span it.
      name = name.substring(0, slash) + name.substring(slash + NON_COORDINATE.length());
    }
    List<Dimension> dimensions = allDimensions.of(found.shaped);
    Datatype type = found.type;
    try {
      requireNumbers(type, found.shaped);
      NumberFormat format = java.util.Objects.requireNonNull(type.number());
      FillValue fill = FillValue.of(found.header);
      double stored = fill.number(format);
      boolean undefined = isNetcdf && fill.never();
      ValueReader reader =
          new ValueReader(
              storage,
              cache,
              found.header,
              type,
              found.shaped.space(),
              undefined ? Double.NaN : stored);
      Double standard = format.stored().netcdfFill();
      // NetCDF stores its default as the fill value of HDF5, which nobody else would choose.
      boolean filled = isNetcdf || (fill.bytes() != null && standard != null && stored == standard);
      Packing packing = Packing.of(attributes, filled ? standard : null, format.stored());
      Variable variable =
          new Variable(name, type.label(), dimensions, Packing.describing(attributes));
      requirePlausible(variable);
      entries.put(name, new Entry(variable, packing, reader, blockLength(variable, reader)));
    } catch (RuntimeException e) {
      unreadable.add(new Unreadable(name, type.label(), dimensions, UnreadableException.reason(e)));
    }
  }

  /** A damaged length would have readers fill in values for hours. */
  private void requirePlausible(Variable variable) {
    long values;
    try {
      values = variable.size();
    } catch (ArithmeticException e) {
      throw new UnreadableException("is damaged: its shape has more than 2⁶³ values", e);
    }
    if (values > MOST_UNWRITTEN && values / MOST_VALUES_PER_BYTE > storage.fileSize()) {
      throw new UnreadableException(
          "states " + values + " values, of which " + storage.fileSize() + " bytes hold few");
    }
  }

  private static void requireNumbers(Datatype type, Shaped shaped) {
    if (shaped.space().isNull() || shaped.attributes().containsKey("MATLAB_empty")) {
      throw new UnreadableException("is empty");
    }
    boolean text = "char".equals(shaped.attributes().get("MATLAB_class"));
    if (type.kind() != Kind.NUMBER || text) {
      throw new UnreadableException("holds " + (text ? "text" : type.label()) + ", not numbers");
    }
  }

  private static int blockLength(Variable variable, ValueReader reader) {
    List<Dimension> dimensions = variable.dimensions();
    long slab = 1;
    for (int d = 1; d < dimensions.size() && slab < MAX_BLOCK_VALUES; d++) {
      slab *= Math.max(1, dimensions.get(d).length());
    }
    if (reader.chunk().length > 0) {
      // A chunk is decoded as a whole: take all of it at once.
      slab = Math.min(slab, MAX_BLOCK_VALUES) * Math.min(reader.chunk()[0], MAX_BLOCK_VALUES);
    }
    return (int) Math.max(MIN_BLOCK_VALUES, Math.min(MAX_BLOCK_VALUES, slab));
  }

  @Override
  public String location() {
    return location;
  }

  @Override
  public String format() {
    return isNetcdf ? "NetCDF-4" : "HDF5";
  }

  @Override
  public List<Variable> variables() {
    return entries.values().stream().map(Entry::variable).toList();
  }

  @Override
  public List<Unreadable> unreadable() {
    return unreadable;
  }

  @Override
  public int blockLength(Variable variable) {
    return find(variable).blockLength;
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    Entry entry = find(variable);
    try {
      long[] shape = entry.variable.dimensions().stream().mapToLong(Dimension::length).toArray();
      entry.reader.read(shape, from, count, values);
    } catch (RuntimeException e) {
      throw new DataException(
          location, "variable " + variable.name() + " " + UnreadableException.reason(e), e);
    }
    entry.packing.decode(values, count);
  }

  private Entry find(Variable variable) {
    @Nullable Entry entry = entries.get(variable.name());
    if (entry == null) {
      throw new DataException(location, "has no variable " + variable.name());
    }
    return entry;
  }

  @Override
  public void close() {
    close(location, storage);
  }

  private static void close(String location, Storage storage) {
    try {
      storage.close();
    } catch (IOException e) {
      throw new DataException(location, "cannot be closed", e);
    }
  }
}

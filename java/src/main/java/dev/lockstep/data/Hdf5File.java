package dev.lockstep.data;

import dev.lockstep.data.Variable.Dimension;
import io.jhdf.HdfFile;
import io.jhdf.api.Attribute;
import io.jhdf.api.Group;
import io.jhdf.api.Node;
import io.jhdf.api.dataset.ChunkedDataset;
import io.jhdf.object.datatype.FixedPoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An HDF5 file, and so a NetCDF-4 file, read by jHDF. Dimension scales name the dimensions; an
 * array without scales is a table like a NumPy array: samples first, then columns.
 */
final class Hdf5File implements ArrayFile {
  private static final int MIN_BLOCK_VALUES = 4096;
  private static final int MAX_BLOCK_VALUES = 1 << 20;

  private final String location;
  private final HdfFile hdf;
  private final boolean isNetcdf;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Map<Long, String> nameByAddress = new HashMap<>();

  private record Entry(
      io.jhdf.api.Dataset dataset, Variable variable, Packing packing, int blockLength) {}

  private Hdf5File(String location, HdfFile hdf) {
    this.location = location;
    this.hdf = hdf;
    isNetcdf = hdf.getAttributes().containsKey("_NCProperties");
  }

  static Hdf5File open(Path file) {
    HdfFile hdf;
    try {
      hdf = new HdfFile(file);
    } catch (RuntimeException e) {
      throw new DataException(file.toString(), "cannot be opened as HDF5: " + e.getMessage(), e);
    }
    try {
      Hdf5File opened = new Hdf5File(file.toString(), hdf);
      opened.addEntries();
      return opened;
    } catch (RuntimeException e) {
      hdf.close();
      throw new DataException(
          file.toString(), "its HDF5 structure cannot be read: " + e.getMessage(), e);
    }
  }

  private static void collect(
      Group group, String prefix, Map<String, io.jhdf.api.Dataset> datasets) {
    for (Node node : group) {
      String name = prefix + node.getName();
      if (node.isLink()) {
        continue;
      }
      if (node instanceof Group child) {
        collect(child, name + "/", datasets);
      } else if (node instanceof io.jhdf.api.Dataset dataset) {
        datasets.put(name, dataset);
      }
    }
  }

  private void addEntries() {
    Map<String, io.jhdf.api.Dataset> datasets = new LinkedHashMap<>();
    collect(hdf, "", datasets);
    datasets
        .values()
        .forEach(dataset -> nameByAddress.put(dataset.getAddress(), dataset.getName()));
    datasets.forEach(
        (name, dataset) -> {
          if (isNumeric(dataset) && !isBareDimension(dataset)) {
            entries.put(name, entry(name, dataset));
          }
        });
  }

  /** NetCDF-4 keeps the length of a dimension without coordinates in a scale without values. */
  private static boolean isBareDimension(io.jhdf.api.Dataset dataset) {
    Attribute name = dataset.getAttributes().get("NAME");
    return name != null
        && name.getData() instanceof String text
        && text.startsWith("This is a netCDF dimension but not a netCDF variable");
  }

  private static boolean isNumeric(io.jhdf.api.Dataset dataset) {
    Class<?> type = dataset.getJavaType();
    return !dataset.isCompound()
        && !dataset.isVariableLength()
        && !dataset.isEmpty()
        && type != boolean.class
        && type != char.class
        && (type.isPrimitive() || Number.class.isAssignableFrom(type));
  }

  private Entry entry(String name, io.jhdf.api.Dataset dataset) {
    Map<String, Object> attributes = new LinkedHashMap<>();
    dataset
        .getAttributes()
        .forEach(
            (key, attribute) -> {
              Object value = attributeValue(attribute);
              if (value != null) {
                attributes.put(key, value);
              }
            });
    String type = dataset.getJavaType().getSimpleName();
    Variable variable = new Variable(name, type, dimensions(dataset), attributes);
    boolean single = dataset.getJavaType() == float.class;
    Packing packing =
        Packing.of(
            attributes,
            isNetcdf ? netcdfFill(dataset) : null,
            number -> single ? (float) number : number);
    return new Entry(dataset, variable, packing, blockLength(dataset));
  }

  /** NetCDF-4 has the default fill values of NetCDF classic; other HDF5 files have none. */
  private static @Nullable Double netcdfFill(io.jhdf.api.Dataset dataset) {
    int size = dataset.getDataType().getSize();
    if (dataset.getDataType() instanceof FixedPoint integer) {
      return switch (size) {
        case 2 -> (integer.isSigned() ? NetcdfType.SHORT : NetcdfType.USHORT).defaultFill;
        case 4 -> (integer.isSigned() ? NetcdfType.INT : NetcdfType.UINT).defaultFill;
        case 8 -> (integer.isSigned() ? NetcdfType.INT64 : NetcdfType.UINT64).defaultFill;
        default -> null;
      };
    }
    return (size == Float.BYTES ? NetcdfType.FLOAT : NetcdfType.DOUBLE).defaultFill;
  }

  private static @Nullable Object attributeValue(Attribute attribute) {
    Object data = attribute.isEmpty() ? null : attribute.getData();
    if (data instanceof String text) {
      return text;
    }
    if (data instanceof String[] texts) {
      return String.join(", ", texts);
    }
    Class<?> type = attribute.getJavaType();
    boolean numeric = type.isPrimitive() || Number.class.isAssignableFrom(type);
    return data == null || !numeric ? null : Hdf5Values.all(data);
  }

  private List<Dimension> dimensions(io.jhdf.api.Dataset dataset) {
    int[] lengths = dataset.getDimensions();
    List<String> scales = scaleNames(dataset, lengths.length);
    List<Dimension> dimensions = new ArrayList<>();
    for (int d = 0; d < lengths.length; d++) {
      dimensions.add(new Dimension(scales.get(d), lengths[d]));
    }
    return dimensions;
  }

  private List<String> scaleNames(io.jhdf.api.Dataset dataset, int rank) {
    String[] names = new String[rank];
    Arrays.fill(names, "");
    Attribute scales = dataset.getAttributes().get("DIMENSION_LIST");
    Attribute itself = dataset.getAttributes().get("CLASS");
    if (scales != null && scales.getData() instanceof Object[] references) {
      for (int d = 0; d < Math.min(rank, references.length); d++) {
        names[d] = scaleName(references[d]);
      }
    } else if (rank > 0 && itself != null && "DIMENSION_SCALE".equals(itself.getData())) {
      names[0] = dataset.getName();
    } else if (rank > 0) {
      names[0] = SAMPLES;
    }
    return List.of(names);
  }

  private String scaleName(Object references) {
    boolean referring = references instanceof long[] addresses && addresses.length > 0;
    return referring ? nameByAddress.getOrDefault(((long[]) references)[0], "") : "";
  }

  private static int blockLength(io.jhdf.api.Dataset dataset) {
    int[] dimensions = dataset.getDimensions();
    long slab = dimensions.length == 0 ? 1 : dataset.getSize() / Math.max(1, dimensions[0]);
    if (dataset instanceof ChunkedDataset chunked) {
      // A chunk is decompressed as a whole: take all of it at once.
      slab *= chunked.getChunkDimensions()[0];
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
  public int blockLength(Variable variable) {
    return find(variable).blockLength;
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    Entry entry = find(variable);
    try {
      int[] dimensions = entry.dataset.getDimensions();
      if (dimensions.length == 0) {
        values[0] = ((Number) entry.dataset.getData()).doubleValue();
      } else {
        Hdf5Values.readRange(entry.dataset, new long[dimensions.length], 0, from, count, values, 0);
      }
    } catch (RuntimeException e) {
      throw new DataException(
          location, "variable " + variable.name() + " cannot be read: " + e.getMessage(), e);
    }
    entry.packing.decode(values, count);
  }

  private Entry find(Variable variable) {
    Entry entry = entries.get(variable.name());
    if (entry == null) {
      throw new DataException(location, "has no variable " + variable.name());
    }
    return entry;
  }

  @Override
  public void close() {
    hdf.close();
  }
}

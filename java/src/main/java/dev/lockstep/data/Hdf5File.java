package dev.lockstep.data;

import dev.lockstep.data.Variable.Dimension;
import io.jhdf.HdfFile;
import io.jhdf.api.Attribute;
import io.jhdf.api.Group;
import io.jhdf.api.Node;
import io.jhdf.api.dataset.ChunkedDataset;
import java.lang.reflect.Array;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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
      opened.collect(hdf, "");
      return opened;
    } catch (RuntimeException e) {
      hdf.close();
      throw new DataException(
          file.toString(), "its HDF5 structure cannot be read: " + e.getMessage(), e);
    }
  }

  private void collect(Group group, String prefix) {
    for (Node node : group) {
      String name = prefix + node.getName();
      if (node.isLink()) {
        continue;
      }
      if (node instanceof Group child) {
        collect(child, name + "/");
      } else if (node instanceof io.jhdf.api.Dataset dataset && isNumeric(dataset)) {
        entries.put(name, entry(name, dataset));
      }
    }
  }

  private static boolean isNumeric(io.jhdf.api.Dataset dataset) {
    Class<?> type = dataset.getJavaType();
    return !dataset.isCompound()
        && !dataset.isVariableLength()
        && !dataset.isEmpty()
        && (type.isPrimitive() && type != boolean.class && type != char.class
            || Number.class.isAssignableFrom(type));
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
    Variable variable = new Variable(name, type, dimensions(name, dataset), attributes);
    boolean single = dataset.getJavaType() == float.class;
    Packing packing =
        Packing.of(
            attributes,
            isNetcdf ? defaultFill(dataset) : null,
            number -> single ? (float) number : number);
    return new Entry(dataset, variable, packing, blockLength(dataset));
  }

  /** NetCDF-4 stores its default fill values as HDF5's; in other files zero is just the default. */
  private static @Nullable Double defaultFill(io.jhdf.api.Dataset dataset) {
    boolean isByte = dataset.getDataType().getSize() == 1;
    return !isByte && dataset.getFillValue() instanceof Number fill ? fill.doubleValue() : null;
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
    return data == null || !numeric ? null : numbers(data);
  }

  private static double @Nullable [] numbers(Object data) {
    if (data instanceof Number number) {
      return new double[] {number.doubleValue()};
    }
    if (data.getClass().isArray() && Array.getLength(data) <= MIN_BLOCK_VALUES) {
      double[] values = new double[countOf(data)];
      flatten(data, values, 0);
      return values;
    }
    return null;
  }

  private static int countOf(Object array) {
    int count = 0;
    for (int i = 0; i < Array.getLength(array); i++) {
      Object element = Array.get(array, i);
      count += element.getClass().isArray() ? countOf(element) : 1;
    }
    return count;
  }

  private List<Dimension> dimensions(String name, io.jhdf.api.Dataset dataset) {
    int[] lengths = dataset.getDimensions();
    List<String> scales = scaleNames(name, dataset, lengths.length);
    List<Dimension> dimensions = new ArrayList<>();
    for (int d = 0; d < lengths.length; d++) {
      dimensions.add(new Dimension(scales.get(d), lengths[d]));
    }
    return dimensions;
  }

  private List<String> scaleNames(String name, io.jhdf.api.Dataset dataset, int rank) {
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
    if (references instanceof long[] addresses && addresses.length > 0) {
      return hdf.getNodeByAddress(addresses[0]).getName();
    }
    return "";
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
        readRange(entry.dataset, new long[dimensions.length], 0, from, count, values, 0);
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

  /**
   * Reads a range in C order of the part whose coordinates before {@code axis} are those of {@code
   * start}: whole rows of the axis as one hyperslab, the rows cut at both ends along the next axis.
   */
  private static void readRange(
      io.jhdf.api.Dataset dataset,
      long[] start,
      int axis,
      long from,
      int count,
      double[] values,
      int into) {
    int[] shape = dataset.getDimensions();
    Arrays.fill(shape, 0, axis, 1);
    long row = 1;
    for (int d = axis + 1; d < shape.length; d++) {
      row *= shape[d];
    }
    for (int done = 0; done < count; ) {
      long within = (from + done) % row;
      int left = count - done;
      start[axis] = (from + done) / row;
      if (within == 0 && left >= row) {
        Arrays.fill(start, axis + 1, start.length, 0);
        shape[axis] = (int) (left / row);
        done += flatten(dataset.getData(start, shape), values, into + done);
      } else {
        int part = (int) Math.min(left, row - within);
        readRange(dataset, start, axis + 1, within, part, values, into + done);
        done += part;
      }
    }
  }

  /** Copies a (nested) array of numbers; returns how many there were. */
  private static int flatten(Object array, double[] values, int into) {
    int length = Array.getLength(array);
    if (array instanceof double[]) {
      System.arraycopy(array, 0, values, into, length);
      return length;
    }
    if (array instanceof float[] singles) {
      for (int i = 0; i < length; i++) {
        values[into + i] = singles[i];
      }
      return length;
    }
    int count = 0;
    for (int i = 0; i < length; i++) {
      Object element = Array.get(array, i);
      if (element instanceof Number number) {
        values[into + count++] = number.doubleValue();
      } else {
        count += flatten(element, values, into + count);
      }
    }
    return count;
  }

  @Override
  public void close() {
    hdf.close();
  }
}

package dev.lockstep.data;

import java.lang.reflect.Array;
import java.util.Arrays;

/** Turns what jHDF returns, nested arrays of any type of number, into flat doubles. */
final class Hdf5Values {
  private Hdf5Values() {}

  /**
   * Reads a range in C order of the part whose coordinates before {@code axis} are those of {@code
   * start}: whole rows of the axis as one hyperslab, the rows cut at both ends along the next axis.
   */
  static void readRange(
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

  /** All numbers of a (nested) array, or a single number. */
  static double[] all(Object data) {
    if (data instanceof Number number) {
      return new double[] {number.doubleValue()};
    }
    double[] values = new double[countOf(data)];
    flatten(data, values, 0);
    return values;
  }

  private static int countOf(Object data) {
    if (!data.getClass().isArray()) {
      return 1;
    }
    int count = 0;
    for (int i = 0; i < Array.getLength(data); i++) {
      count += countOf(Array.get(data, i));
    }
    return count;
  }
}

package dev.lockstep.checkpoint;

import java.util.ArrayList;
import java.util.List;

/**
 * A rank's slice of a tensor: its elements in their order are seen as [{@code outer}, {@code
 * length}, {@code inner}], and the slice has those whose second index is {@code from} or one of the
 * {@code count − 1} after it, as [{@code outer}, {@code count}, {@code inner}].
 */
public record TensorSlice(long outer, long length, long inner, long from, long count) {
  /**
   * Checks that it lies within the tensor and is not empty.
   *
   * @throws IllegalArgumentException if it does not
   */
  public TensorSlice {
    if (outer < 1 || inner < 1 || count < 1 || from < 0 || from > length - count) {
      throw new IllegalArgumentException(
          "a slice of " + count + " from " + from + " on lies outside of its " + length);
    }
    try {
      Math.multiplyExact(Math.multiplyExact(outer, length), inner);
    } catch (ArithmeticException tooLarge) {
      throw new IllegalArgumentException("a slice is of a tensor larger than any file", tooLarge);
    }
  }

  /** Elements of the tensor. */
  public long wholeElements() {
    return outer * length * inner;
  }

  /** Elements of the slice. */
  public long elements() {
    return outer * count * inner;
  }

  /** Elements that lie side by side both in the slice and in the tensor. */
  public long run() {
    return count * inner;
  }

  /**
   * Where in the tensor a run begins.
   *
   * @param index from 0 to {@code outer − 1}
   */
  public long wholeOffset(long index) {
    return (index * length + from) * inner;
  }

  /** The slices of ranks that share a tensor out, the first ranks' a unit longer where needed. */
  public static List<TensorSlice> shareOut(
      long outer, long length, long inner, long unit, int ranks) {
    List<TensorSlice> slices = new ArrayList<>();
    long units = length / unit;
    long from = 0;
    for (int rank = 0; rank < ranks; rank++) {
      long count = (units / ranks + (rank < units % ranks ? 1 : 0)) * unit;
      slices.add(new TensorSlice(outer, length, inner, from, count));
      from += count;
    }
    return slices;
  }
}

package dev.lockstep.data;

import java.util.stream.LongStream;

/**
 * Cuts {@code samples} samples into one contiguous range for each rank. Sizes differ by one at
 * most; the first ranks get the larger ones. With more ranks than samples, the last ranks get none.
 *
 * @param samples the number of samples, not negative
 * @param worldSize the number of ranks, at least 1
 */
public record DataPartitioner(long samples, int worldSize) {

  /**
   * A range of samples.
   *
   * @param from the first sample
   * @param to the sample after the last; equal to {@code from} if the range is empty
   */
  public record Range(long from, long to) {
    /** The number of samples. */
    public long size() {
      return to - from;
    }
  }

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException if {@code samples} is negative or {@code worldSize} not
   *     positive
   */
  public DataPartitioner {
    if (samples < 0 || worldSize < 1) {
      throw new IllegalArgumentException(
          "cannot partition " + samples + " samples over " + worldSize + " ranks");
    }
  }

  /**
   * The samples of a rank.
   *
   * @throws IllegalArgumentException if there is no such rank
   */
  public Range partition(int rank) {
    if (rank < 0 || rank >= worldSize) {
      throw new IllegalArgumentException("there is no rank " + rank + " among " + worldSize);
    }
    long share = samples / worldSize;
    long larger = samples % worldSize;
    long from = rank * share + Math.min(rank, larger);
    return new Range(from, from + share + (rank < larger ? 1 : 0));
  }

  /**
   * The samples of a rank, one by one, in ascending order.
   *
   * @throws IllegalArgumentException if there is no such rank, or its share exceeds an array
   */
  public long[] indices(int rank) {
    Range range = partition(rank);
    if (range.size() > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "rank "
              + rank
              + " has "
              + range.size()
              + " samples, more than an array holds; use more ranks");
    }
    return LongStream.range(range.from(), range.to()).toArray();
  }

  /**
   * The number of samples of a rank.
   *
   * @throws IllegalArgumentException if there is no such rank
   */
  public long size(int rank) {
    return partition(rank).size();
  }
}

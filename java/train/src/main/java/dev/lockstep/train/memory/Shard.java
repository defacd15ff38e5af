package dev.lockstep.train.memory;

/**
 * A rank's part of neighbouring elements of which each rank has one.
 *
 * @param whole all ranks' parts
 * @param own this rank's; may be of no elements
 * @param counts elements of each rank's part, in rank order, which is the order of elements
 */
@SuppressWarnings("ArrayRecordComponent") // handed straight to the communicator
public record Shard(ParameterRange whole, ParameterRange own, long[] counts) {
  /** Cuts a range into parts of nearly equal size, at multiples of so many elements. */
  public static Shard cut(ParameterRange whole, long unit, int rank, int ranks) {
    long units = (whole.count() + unit - 1) / unit;
    long[] counts = new long[ranks];
    long from = 0;
    long ownFrom = 0;
    for (int r = 0; r < ranks; r++) {
      long end = Math.min(whole.count(), units * (r + 1) / ranks * unit);
      counts[r] = end - from;
      ownFrom = r == rank ? from : ownFrom;
      from = end;
    }
    return new Shard(
        whole, new ParameterRange(whole.group(), whole.from() + ownFrom, counts[rank]), counts);
  }

  /** Whether an element lies in {@link #whole}. */
  public boolean holds(int group, long element) {
    return whole.group() == group
        && element >= whole.from()
        && element < whole.from() + whole.count();
  }
}

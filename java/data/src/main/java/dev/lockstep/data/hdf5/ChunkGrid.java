package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;

/**
 * The chunks of a data set as a grid. A chunk's number counts in C order over the chunks of the
 * present shape.
 *
 * @param chunk lengths of a chunk
 * @param counts chunks along each dimension of the present shape
 */
@SuppressWarnings("ArrayRecordComponent") // never leaves the package
record ChunkGrid(Dataspace space, long[] chunk, long[] counts) {
  static ChunkGrid of(Dataspace space, long[] chunk) {
    if (chunk.length != space.rank()) {
      throw new UnreadableException(
          "is damaged: chunks of " + chunk.length + " dimensions, shape of " + space.rank());
    }
    long[] counts = new long[chunk.length];
    for (int d = 0; d < chunk.length; d++) {
      counts[d] = ceilDiv(space.lengths()[d], chunk[d]);
    }
    return new ChunkGrid(space, chunk, counts);
  }

  private static long ceilDiv(long a, long b) {
    return a / b + (a % b == 0 ? 0 : 1);
  }

  /** The number of a chunk, or -1 if it lies outside of the present shape (after shrinking). */
  long number(long[] coordinates) {
    long number = 0;
    for (int d = 0; d < counts.length; d++) {
      if (coordinates[d] < 0 || coordinates[d] >= counts[d]) {
        return -1;
      }
      number = Math.addExact(Math.multiplyExact(number, counts[d]), coordinates[d]);
    }
    return number;
  }

  /**
   * The number of the chunk with a position in an array index. Arrays count over the chunks of the
   * largest shape, with the unlimited dimension, if there is one, moved to the front.
   */
  long numberOfArrayPosition(long position) {
    int rank = counts.length;
    int unlimited = unlimitedDimension();
    long[] coordinates = new long[rank];
    long left = position;
    for (int d = rank - 1; d >= 0; d--) {
      if (d != unlimited) {
        long most = ceilDiv(space.limits()[d], chunk[d]);
        if (most == 0) {
          return -1;
        }
        coordinates[d] = left % most;
        left /= most;
      }
    }
    if (unlimited >= 0) {
      coordinates[unlimited] = left;
    } else if (left > 0) {
      return -1;
    }
    return number(coordinates);
  }

  /** The position in an array index of the chunk with these coordinates. */
  long arrayPosition(long[] coordinates) {
    long position = 0;
    for (int d = 0; d < counts.length; d++) {
      long most = ceilDiv(space.limits()[d], chunk[d]);
      position = Math.addExact(Math.multiplyExact(position, most), coordinates[d]);
    }
    return position;
  }

  private int unlimitedDimension() {
    for (int d = 0; d < counts.length; d++) {
      if (space.limits()[d] == Dataspace.UNLIMITED) {
        return d;
      }
    }
    return -1;
  }

  /** Whether part of a chunk lies outside of the present shape. */
  boolean isPartial(long[] coordinates) {
    for (int d = 0; d < counts.length; d++) {
      if ((coordinates[d] + 1) * chunk[d] > space.lengths()[d]) {
        return true;
      }
    }
    return false;
  }

  /** Elements of one chunk. */
  long chunkSize() {
    long size = 1;
    for (long length : chunk) {
      size = Math.multiplyExact(size, length);
    }
    return size;
  }
}

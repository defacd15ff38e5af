package dev.lockstep.bench;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.ReduceOp;

/**
 * One row of a sweep.
 *
 * @param bytes asked for; what is measured is the next whole number of elements (and parts)
 * @param op looked at by reductions only
 * @param registered buffers of {@code Communicator.allocate}, else plain direct buffers
 * @param inPlace all-reduce with input and output the same; a broadcast always is
 */
public record BenchCase(
    BenchOperation operation,
    long bytes,
    DataType type,
    ReduceOp op,
    boolean registered,
    boolean inPlace) {

  public BenchCase {
    if (operation == BenchOperation.BROADCAST) {
      inPlace = true;
    } else if (inPlace && operation != BenchOperation.ALLREDUCE) {
      throw new IllegalArgumentException(
          operation.text() + " has no form in place; allreduce and broadcast have.");
    }
    if (operation == BenchOperation.BARRIER) {
      bytes = 0;
    }
  }

  /** Elements of the larger buffer: at least one, and a multiple of the ranks where it is cut. */
  long count(int ranks) {
    if (bytes == 0) {
      return 0;
    }
    long unit = operation.hasParts() ? ranks : 1;
    long elements = Math.max(1, bytes / type.bytes());
    return (elements + unit - 1) / unit * unit;
  }

  /** Bytes that are measured. */
  long measuredBytes(int ranks) {
    return count(ranks) * type.bytes();
  }
}

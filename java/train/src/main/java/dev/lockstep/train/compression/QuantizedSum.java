package dev.lockstep.train.compression;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Work;
import dev.lockstep.jni.Native;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.ParameterRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Every rank sends each other one its encoded part of a slice, sums its own slice of all ranks in
 * the ranks' order, and gives all the encoded sum: as many values as an all-reduce, each encoded
 * once on either way (as the compressed all-reduce of Tang et al. 2021, "1-bit Adam"). What the
 * second encoding loses goes into the residual of the rank that did it: only the sum of the ranks'
 * residuals counts.
 */
final class QuantizedSum implements RangeSum, AutoCloseable {
  /** Elements that share a scale. */
  private static final long BLOCK = 256;

  private static final int ELEMENT = Float.BYTES;

  private final int codec;
  private final Communicator group;
  private final long gradients;
  private final long residual;
  private final long count;
  private final long slice;
  private final long sliceBytes;
  private final List<ParameterRange> gaps;

  /** The range's first element. */
  private final long from;

  /** What goes to each rank, what comes from each, and this rank's part of the sum. */
  private final NativeMemory memory;

  private long step;

  /**
   * Takes the memory.
   *
   * @param codec of {@code lockstep::Codec}
   * @param gradients address of the first of the range's float32 elements
   * @param residual address of as many; 0 for none
   * @param range where they lie in their flat buffer
   * @param gaps between the tensors there, which stay zero
   */
  QuantizedSum(
      int codec,
      Communicator group,
      long gradients,
      long residual,
      ParameterRange range,
      List<ParameterRange> gaps) {
    this.codec = codec;
    this.group = group;
    this.gradients = gradients;
    this.residual = residual;
    this.gaps = gaps;
    count = range.count();
    from = range.from();
    int ranks = group.size();
    slice = ((count + ranks - 1) / ranks + BLOCK - 1) / BLOCK * BLOCK;
    sliceBytes = Native.encoded_bytes(codec, slice);
    memory = group.allocate((2 * ranks + 1) * sliceBytes);
  }

  /** Elements of a rank's slice; the last ranks' may be short or empty. */
  private long elements(int rank) {
    return Math.max(0, Math.min(slice, count - rank * slice));
  }

  private void encode(int rank, long output, double carry, double keep, long seed) {
    long offset = rank * slice * ELEMENT;
    Native.encode(
        codec,
        gradients + offset,
        elements(rank),
        output,
        residual == 0 ? 0 : residual + offset,
        carry,
        keep,
        seed);
  }

  private void decode(long input, int rank, boolean add) {
    Native.decode(codec, input, elements(rank), gradients + rank * slice * ELEMENT, add);
  }

  /** Of random rounding: another one for each step, range, rank and slice. */
  private long seed(int part) {
    long place = (step * group.size() + group.rank()) * (group.size() + 1L) + part;
    return place ^ from << 40;
  }

  private long outgoing(int rank) {
    return memory.address() + rank * sliceBytes;
  }

  private long incoming(int rank) {
    return outgoing(group.size() + rank);
  }

  private long own() {
    return outgoing(2 * group.size());
  }

  private Span slices(int first, int number) {
    return memory.span(first * sliceBytes, number * sliceBytes, DataType.U8);
  }

  @Override
  public Work start(long number, double carry) {
    step = number;
    for (int rank = 0; rank < group.size(); rank++) {
      encode(rank, outgoing(rank), carry, 0, seed(rank));
    }
    int ranks = group.size();
    return group.allToAllAsync(slices(0, ranks), slices(ranks, ranks));
  }

  @Override
  public @Nullable Work proceed() {
    int me = group.rank();
    for (int rank = 0; rank < group.size(); rank++) {
      decode(incoming(rank), me, rank > 0);
    }
    encode(me, own(), 0, 1, seed(group.size()));
    return group.allGatherAsync(slices(2 * group.size(), 1), slices(0, group.size()));
  }

  @Override
  public void finish() {
    for (int rank = 0; rank < group.size(); rank++) {
      decode(outgoing(rank), rank, false);
    }
    // A sign is never zero.
    for (ParameterRange gap : gaps) {
      clear(gradients, gap);
      if (residual != 0) {
        clear(residual, gap);
      }
    }
  }

  private void clear(long elements, ParameterRange gap) {
    NativeView.zero(elements + (gap.from() - from) * ELEMENT, gap.count() * ELEMENT);
  }

  @Override
  public long sentBytes() {
    return 2 * (group.size() - 1) * sliceBytes;
  }

  @Override
  public void close() {
    memory.close();
  }
}

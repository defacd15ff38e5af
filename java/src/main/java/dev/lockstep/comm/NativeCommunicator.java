package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import org.jspecify.annotations.Nullable;

/**
 * {@link Communicator} over a native handle. Native code checks every argument, so this class only
 * passes them on.
 */
final class NativeCommunicator implements Communicator {
  private final long handle;
  private final Backend backend;
  private final int rank;
  private final int size;

  NativeCommunicator(long handle, Backend backend) {
    this.handle = handle;
    this.backend = backend;
    this.rank = Native.communicator_rank(handle);
    this.size = Native.communicator_size(handle);
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public Backend backend() {
    return backend;
  }

  @Override
  public void setTimeout(double seconds) {
    try {
      Native.set_timeout(handle, seconds);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }

  @Override
  public NativeMemory allocate(long bytes) {
    return new NativeMemory(bytes);
  }

  @Override
  public void send(Span data, int to, int tag) {
    run(Native.SEND, null, to, tag, data, Span.empty(), data.count());
  }

  @Override
  public Work sendAsync(Span data, int to, int tag) {
    return start(Native.SEND, null, to, tag, data, Span.empty(), data.count());
  }

  @Override
  public int receive(Span data, int from, int tag) {
    return run(Native.RECEIVE, null, from, tag, Span.empty(), data, data.count());
  }

  @Override
  public Work receiveAsync(Span data, int from, int tag) {
    return start(Native.RECEIVE, null, from, tag, Span.empty(), data, data.count());
  }

  @Override
  public void broadcast(Span data, int root) {
    run(Native.BROADCAST, null, root, 0, data, data, data.count());
  }

  @Override
  public Work broadcastAsync(Span data, int root) {
    return start(Native.BROADCAST, null, root, 0, data, data, data.count());
  }

  @Override
  public void scatter(Span input, Span output, int root) {
    checkParts(input, output, rank == root);
    run(Native.SCATTER, null, root, 0, input, output, output.count());
  }

  @Override
  public Work scatterAsync(Span input, Span output, int root) {
    checkParts(input, output, rank == root);
    return start(Native.SCATTER, null, root, 0, input, output, output.count());
  }

  @Override
  public void scatter(Span input, Span output, long[] counts, int root) {
    runUneven(
        Native.SCATTER, null, root, input, output, output.count(), counts, input, rank == root);
  }

  @Override
  public void gather(Span input, Span output, int root) {
    checkParts(output, input, rank == root);
    run(Native.GATHER, null, root, 0, input, output, input.count());
  }

  @Override
  public Work gatherAsync(Span input, Span output, int root) {
    checkParts(output, input, rank == root);
    return start(Native.GATHER, null, root, 0, input, output, input.count());
  }

  @Override
  public void gather(Span input, Span output, long[] counts, int root) {
    runUneven(
        Native.GATHER, null, root, input, output, input.count(), counts, output, rank == root);
  }

  @Override
  public void allGather(Span input, Span output) {
    checkParts(output, input, true);
    run(Native.ALL_GATHER, null, 0, 0, input, output, input.count());
  }

  @Override
  public Work allGatherAsync(Span input, Span output) {
    checkParts(output, input, true);
    return start(Native.ALL_GATHER, null, 0, 0, input, output, input.count());
  }

  @Override
  public void allGather(Span input, Span output, long[] counts) {
    runUneven(Native.ALL_GATHER, null, 0, input, output, input.count(), counts, output, true);
  }

  @Override
  public void reduce(Span input, Span output, ReduceOp op, int root) {
    checkSame(input, output, rank == root);
    run(Native.REDUCE, op, root, 0, input, output, input.count());
  }

  @Override
  public Work reduceAsync(Span input, Span output, ReduceOp op, int root) {
    checkSame(input, output, rank == root);
    return start(Native.REDUCE, op, root, 0, input, output, input.count());
  }

  @Override
  public void reduceScatter(Span input, Span output, ReduceOp op) {
    checkParts(input, output, true);
    run(Native.REDUCE_SCATTER, op, 0, 0, input, output, output.count());
  }

  @Override
  public Work reduceScatterAsync(Span input, Span output, ReduceOp op) {
    checkParts(input, output, true);
    return start(Native.REDUCE_SCATTER, op, 0, 0, input, output, output.count());
  }

  @Override
  public void reduceScatter(Span input, Span output, long[] counts, ReduceOp op) {
    runUneven(Native.REDUCE_SCATTER, op, 0, input, output, output.count(), counts, input, true);
  }

  @Override
  public void allReduce(Span input, Span output, ReduceOp op) {
    checkSame(input, output, true);
    run(Native.ALL_REDUCE, op, 0, 0, input, output, input.count());
  }

  @Override
  public Work allReduceAsync(Span input, Span output, ReduceOp op) {
    checkSame(input, output, true);
    return start(Native.ALL_REDUCE, op, 0, 0, input, output, input.count());
  }

  @Override
  public void allToAll(Span input, Span output) {
    checkSame(input, output, true);
    run(Native.ALL_TO_ALL, null, 0, 0, input, output, partOf(input));
  }

  @Override
  public Work allToAllAsync(Span input, Span output) {
    checkSame(input, output, true);
    return start(Native.ALL_TO_ALL, null, 0, 0, input, output, partOf(input));
  }

  @Override
  public void barrier() {
    run(Native.BARRIER, null, 0, 0, Span.empty(), Span.empty(), 0);
  }

  @Override
  public Work barrierAsync() {
    return start(Native.BARRIER, null, 0, 0, Span.empty(), Span.empty(), 0);
  }

  @Override
  public Communicator split(int color, int key) {
    if (color < 0) {
      throw new IllegalArgumentException("The color is " + color + "; colors start at 0.");
    }
    try {
      return new NativeCommunicator(Native.split(handle, color, key), backend);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }

  @Override
  public double communicationSeconds() {
    return Native.communication_seconds(handle);
  }

  @Override
  public long communicationBytes() {
    return Native.communication_bytes(handle);
  }

  @Override
  public void close() {
    Native.close_communicator(handle);
  }

  /** {@code whole} has P times the elements of {@code part}, in the same type. */
  private void checkParts(Span whole, Span part, boolean looksAtWhole) {
    if (looksAtWhole && (whole.type() != part.type() || whole.count() != part.count() * size)) {
      throw new IllegalArgumentException(
          "The parts are "
              + part
              + " each, so "
              + size
              + " of them need "
              + part.count() * size
              + " "
              + part.type()
              + ", but the other span has "
              + whole
              + ".");
    }
  }

  private static void checkSame(Span input, Span output, boolean looksAtOutput) {
    if (looksAtOutput && (input.type() != output.type() || input.count() != output.count())) {
      throw new IllegalArgumentException(
          "Input and output must be alike, but they are " + input + " and " + output + ".");
    }
  }

  private long partOf(Span whole) {
    if (whole.count() % size != 0) {
      throw new IllegalArgumentException(whole + " cannot be cut into " + size + " equal parts.");
    }
    return whole.count() / size;
  }

  private static DataType typeOf(int operation, Span input, Span output) {
    boolean outputDecides = operation == Native.RECEIVE || operation == Native.SCATTER;
    return outputDecides ? output.type() : input.type();
  }

  private int run(
      int operation,
      @Nullable ReduceOp op,
      int root,
      int tag,
      Span input,
      Span output,
      long count) {
    try {
      return Native.run(
          handle,
          operation,
          typeOf(operation, input, output).code,
          op == null ? 0 : op.code,
          root,
          tag,
          input.address(),
          output.address(),
          count,
          0);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    } finally {
      Reference.reachabilityFence(input);
      Reference.reachabilityFence(output);
    }
  }

  private Work start(
      int operation,
      @Nullable ReduceOp op,
      int root,
      int tag,
      Span input,
      Span output,
      long count) {
    try {
      long work =
          Native.start(
              handle,
              operation,
              typeOf(operation, input, output).code,
              op == null ? 0 : op.code,
              root,
              tag,
              input.address(),
              output.address(),
              count,
              0);
      return new NativeWork(work, new Span[] {input, output});
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }

  private void runUneven(
      int operation,
      @Nullable ReduceOp op,
      int root,
      Span input,
      Span output,
      long count,
      long[] counts,
      Span whole,
      boolean looksAtCounts) {
    LongBuffer native64 =
        ByteBuffer.allocateDirect(Long.BYTES * Math.max(1, counts.length))
            .order(ByteOrder.nativeOrder())
            .asLongBuffer();
    if (looksAtCounts) {
      checkCounts(counts, count, whole);
      native64.put(counts).flip();
    }
    Span countsSpan = Span.of(native64);
    try {
      Native.run(
          handle,
          operation,
          typeOf(operation, input, output).code,
          op == null ? 0 : op.code,
          root,
          0,
          input.address(),
          output.address(),
          count,
          looksAtCounts ? countsSpan.address() : 0);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    } finally {
      Reference.reachabilityFence(input);
      Reference.reachabilityFence(output);
      Reference.reachabilityFence(native64);
    }
  }

  private void checkCounts(long[] counts, long own, Span whole) {
    if (counts.length != size) {
      throw new IllegalArgumentException(
          counts.length + " counts were given for " + size + " ranks.");
    }
    long sum = 0;
    for (long count : counts) {
      if (count < 0) {
        throw new IllegalArgumentException("The counts hold " + count + "; they start at 0.");
      }
      sum = Math.addExact(sum, count);
    }
    if (counts[rank] != own || whole.count() != sum) {
      throw new IllegalArgumentException(
          "The counts say "
              + counts[rank]
              + " elements for this rank and "
              + sum
              + " in all, but the spans have "
              + own
              + " and "
              + whole.count()
              + ".");
    }
  }
}

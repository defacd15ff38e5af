package dev.lockstep.gloo;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Request;
import dev.lockstep.comm.Span;
import dev.lockstep.jni.Native;
import java.nio.LongBuffer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.AllToAllOptions;
import org.bytedeco.pytorch.AllgatherOptions;
import org.bytedeco.pytorch.AllreduceOptions;
import org.bytedeco.pytorch.BroadcastOptions;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.ReduceOp.RedOpType;
import org.bytedeco.pytorch.ReduceOptions;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.StringViewOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * The data of collectives, once the ranks have agreed on it. What Gloo lacks is composed: averages
 * from sums, a reduce-scatter from an all-reduce, scatter and gather from an uneven all-to-all, an
 * uneven all-gather from broadcasts, and NaN, which its minimum and maximum may drop, from a mask.
 */
final class GlooCollectives {
  private final ProcessGroupGloo gloo;
  private final int rank;
  private final int size;

  GlooCollectives(ProcessGroupGloo gloo, int rank, int size) {
    this.gloo = gloo;
    this.rank = rank;
    this.size = size;
  }

  static boolean isMinimumOrMaximum(Request request) {
    return (request.operation() == Native.REDUCE
            || request.operation() == Native.REDUCE_SCATTER
            || request.operation() == Native.ALL_REDUCE)
        && (request.op() == ReduceOp.MIN || request.op() == ReduceOp.MAX)
        && GlooTensors.isFloating(request.input().type());
  }

  static boolean hasNan(Span span) {
    try (PointerScope scope = new PointerScope()) {
      return span.count() > 0 && GlooTensors.elements(span).isnan().any().item_bool();
    }
  }

  /**
   * Moves and reduces.
   *
   * @param nan whether a rank has said that its input holds NaN
   * @throws RuntimeException with Gloo's text
   */
  void run(Request request, boolean nan, long timeoutMillis) {
    try (PointerScope scope = new PointerScope()) {
      Milliseconds timeout = new Milliseconds(timeoutMillis);
      Span input = request.input();
      Span output = request.output();
      int root = request.rootOrPeer();
      switch (request.operation()) {
        case Native.BROADCAST -> broadcast(output, root, timeout);
        case Native.SCATTER ->
            exchange(
                rank == root ? input : Span.empty(),
                output,
                only(rank == root, parts(request, output)),
                partOf(root, output),
                timeout);
        case Native.GATHER ->
            exchange(
                input,
                rank == root ? output : Span.empty(),
                partOf(root, input),
                only(rank == root, parts(request, input)),
                timeout);
        case Native.ALL_GATHER -> allGather(input, output, request.counts(), timeout);
        case Native.REDUCE -> reduce(request, nan, timeout);
        case Native.REDUCE_SCATTER -> reduceScatter(request, nan, timeout);
        case Native.ALL_REDUCE -> {
          GlooTensors.copy(input, output);
          allReduce(output, request.op(), nan, timeout);
        }
        case Native.ALL_TO_ALL -> exchange(input, output, new long[0], new long[0], timeout);
        default -> {} // a barrier is the agreement itself
      }
    }
  }

  private void broadcast(Span data, int root, Milliseconds timeout) {
    BroadcastOptions options = new BroadcastOptions().rootRank(root).timeout(timeout);
    gloo.broadcast(new TensorVector(GlooTensors.bytes(data)), options)._wait();
  }

  /** All-to-all of bytes. */
  private void exchange(Span in, Span out, long[] inParts, long[] outParts, Milliseconds timeout) {
    AllToAllOptions options = new AllToAllOptions().timeout(timeout);
    gloo.alltoall_base(
            GlooTensors.bytes(out),
            GlooTensors.bytes(in),
            new LongVector(outParts),
            new LongVector(inParts),
            options)
        ._wait();
  }

  /** Bytes of each rank's part. */
  private long[] parts(Request request, Span own) {
    long[] parts = new long[size];
    LongBuffer counts = request.counts();
    for (int other = 0; other < size; other++) {
      parts[other] = (counts == null ? own.count() : counts.get(other)) * own.type().bytes();
    }
    return parts;
  }

  private long[] only(boolean used, long[] parts) {
    return used ? parts : new long[size];
  }

  private long[] partOf(int root, Span part) {
    long[] parts = new long[size];
    parts[root] = part.count() * part.type().bytes();
    return parts;
  }

  private void allGather(
      Span input, Span output, @Nullable LongBuffer counts, Milliseconds timeout) {
    if (counts == null) {
      AllgatherOptions options = new AllgatherOptions().timeout(timeout);
      gloo._allgather_base(GlooTensors.bytes(output), GlooTensors.bytes(input), options)._wait();
      return;
    }
    long from = 0;
    for (int other = 0; other < size; other++) {
      Span part = output.slice(from, counts.get(other));
      from += part.count();
      if (other == rank) {
        GlooTensors.copy(input, part);
      }
      if (part.count() > 0) {
        broadcast(part, other, timeout);
      }
    }
  }

  private void allReduce(Span data, ReduceOp op, boolean nan, Milliseconds timeout) {
    Tensor tensor = GlooTensors.elements(data);
    Tensor mask = nan ? nanMask(tensor, timeout) : null;
    allReduce(tensor, op, timeout);
    finish(tensor, data.type(), op, mask);
  }

  private void allReduce(Tensor tensor, ReduceOp op, Milliseconds timeout) {
    AllreduceOptions options = new AllreduceOptions().reduceOp(operator(op)).timeout(timeout);
    gloo.allreduce(new TensorVector(tensor), options)._wait();
  }

  /** Where any rank has NaN. */
  private Tensor nanMask(Tensor tensor, Milliseconds timeout) {
    Tensor mask = tensor.isnan().to(ScalarType.Byte);
    allReduce(mask, ReduceOp.MAX, timeout);
    return mask.to(ScalarType.Bool);
  }

  private void finish(Tensor tensor, DataType type, ReduceOp op, @Nullable Tensor mask) {
    if (op == ReduceOp.AVERAGE) {
      Scalar ranks = new Scalar(size);
      if (GlooTensors.isFloating(type)) {
        tensor.div_(ranks);
      } else {
        tensor.div_(ranks, new StringViewOptional("trunc"));
      }
    }
    if (mask != null) {
      tensor.masked_fill_(mask, new Scalar(Double.NaN));
    }
  }

  private static org.bytedeco.pytorch.ReduceOp operator(ReduceOp op) {
    return new org.bytedeco.pytorch.ReduceOp(
        switch (op) {
          case SUM, AVERAGE -> RedOpType.SUM;
          case MIN -> RedOpType.MIN;
          case MAX -> RedOpType.MAX;
          case PRODUCT -> RedOpType.PRODUCT;
        });
  }

  /** Gloo leaves partial results in the buffers of the other ranks, so they pass copies. */
  private void reduce(Request request, boolean nan, Milliseconds timeout) {
    boolean atRoot = rank == request.rootOrPeer();
    Span input = request.input();
    try (NativeMemory copy = NativeMemory.allocate(atRoot ? 0 : bytes(input))) {
      Span data = atRoot ? request.output() : copy.span(0, input.count(), input.type());
      GlooTensors.copy(input, data);
      Tensor tensor = GlooTensors.elements(data);
      Tensor mask = nan ? nanMask(tensor, timeout) : null;
      ReduceOptions options =
          new ReduceOptions()
              .reduceOp(operator(request.op()))
              .rootRank(request.rootOrPeer())
              .timeout(timeout);
      gloo.reduce(new TensorVector(tensor), options)._wait();
      if (atRoot) {
        finish(tensor, input.type(), request.op(), mask);
      }
    }
  }

  private void reduceScatter(Request request, boolean nan, Milliseconds timeout) {
    Span input = request.input();
    try (NativeMemory copy = NativeMemory.allocate(bytes(input))) {
      Span whole = copy.span(0, input.count(), input.type());
      GlooTensors.copy(input, whole);
      allReduce(whole, request.op(), nan, timeout);
      long from = 0;
      for (int other = 0; other < rank; other++) {
        from += request.counts() == null ? request.count() : request.counts().get(other);
      }
      GlooTensors.copy(whole.slice(from, request.output().count()), request.output());
    }
  }

  private static long bytes(Span span) {
    return span.count() * span.type().bytes();
  }
}

package dev.lockstep.comm;

import static java.util.Objects.requireNonNull;

import dev.lockstep.jni.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/**
 * Makes the requests of one rank, checking what native code cannot know: that the spans are as long
 * as the operation needs. Native code checks the rest.
 */
record Requests(int rank, int size) {

  Request send(Span data, int to, int tag) {
    requireNonNull(data, "data");
    return Request.of(Native.SEND, to, data, Span.empty(), data.count()).tagged(tag);
  }

  Request receive(Span data, int from, int tag) {
    requireNonNull(data, "data");
    return Request.of(Native.RECEIVE, from, Span.empty(), data, data.count()).tagged(tag);
  }

  Request broadcast(Span data, int root) {
    requireNonNull(data, "data");
    return Request.of(Native.BROADCAST, root, data, data, data.count());
  }

  Request scatter(Span input, Span output, int root) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    if (rank == root) {
      checkParts(input, output);
    }
    return Request.of(Native.SCATTER, root, input, output, output.count());
  }

  Request scatter(Span input, Span output, long[] counts, int root) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    Request request = Request.of(Native.SCATTER, root, input, output, output.count());
    return rank == root ? request.uneven(checked(counts, output, input)) : request;
  }

  Request gather(Span input, Span output, int root) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    if (rank == root) {
      checkParts(output, input);
    }
    return Request.of(Native.GATHER, root, input, output, input.count());
  }

  Request gather(Span input, Span output, long[] counts, int root) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    Request request = Request.of(Native.GATHER, root, input, output, input.count());
    return rank == root ? request.uneven(checked(counts, input, output)) : request;
  }

  Request allGather(Span input, Span output) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    checkParts(output, input);
    return Request.of(Native.ALL_GATHER, 0, input, output, input.count());
  }

  Request allGather(Span input, Span output, long[] counts) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    return Request.of(Native.ALL_GATHER, 0, input, output, input.count())
        .uneven(checked(counts, input, output));
  }

  Request reduce(Span input, Span output, ReduceOp op, int root) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    requireNonNull(op, "op");
    if (rank == root) {
      checkSame(input, output);
    }
    return Request.of(Native.REDUCE, root, input, output, input.count()).reducing(op);
  }

  Request reduceScatter(Span input, Span output, ReduceOp op) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    requireNonNull(op, "op");
    checkParts(input, output);
    return Request.of(Native.REDUCE_SCATTER, 0, input, output, output.count()).reducing(op);
  }

  Request reduceScatter(Span input, Span output, long[] counts, ReduceOp op) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    requireNonNull(op, "op");
    return Request.of(Native.REDUCE_SCATTER, 0, input, output, output.count())
        .reducing(op)
        .uneven(checked(counts, output, input));
  }

  Request allReduce(Span input, Span output, ReduceOp op) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    requireNonNull(op, "op");
    checkSame(input, output);
    return Request.of(Native.ALL_REDUCE, 0, input, output, input.count()).reducing(op);
  }

  Request allToAll(Span input, Span output) {
    requireNonNull(input, "input");
    requireNonNull(output, "output");
    checkSame(input, output);
    if (input.count() % size != 0) {
      throw new IllegalArgumentException(input + " cannot be cut into " + size + " equal parts.");
    }
    return Request.of(Native.ALL_TO_ALL, 0, input, output, input.count() / size);
  }

  Request barrier() {
    return Request.of(Native.BARRIER, 0, Span.empty(), Span.empty(), 0);
  }

  private void checkParts(Span whole, Span part) {
    if (whole.type() != part.type() || whole.count() != part.count() * size) {
      throw new IllegalArgumentException(
          "The part of one rank is "
              + part
              + ", so all "
              + size
              + " need "
              + part.count() * size
              + " "
              + part.type()
              + ", but the other span has "
              + whole
              + ".");
    }
  }

  private static void checkSame(Span input, Span output) {
    if (input.type() != output.type() || input.count() != output.count()) {
      throw new IllegalArgumentException(
          "Input and output must be alike, but they are " + input + " and " + output + ".");
    }
  }

  /** The counts as native code reads them, once they fit the spans. */
  private LongBuffer checked(long[] counts, Span part, Span whole) {
    requireNonNull(counts, "counts");
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
    if (counts[rank] != part.count() || whole.count() != sum || part.type() != whole.type()) {
      throw new IllegalArgumentException(
          "The counts say "
              + counts[rank]
              + " elements for this rank and "
              + sum
              + " in all, but the spans have "
              + part
              + " and "
              + whole
              + ".");
    }
    return ByteBuffer.allocateDirect(Long.BYTES * size)
        .order(ByteOrder.nativeOrder())
        .asLongBuffer()
        .put(counts)
        .flip();
  }
}

package dev.lockstep.comm;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;

/** Collectives on Java arrays, by way of direct buffers. */
final class ArrayCollectives {
  private ArrayCollectives() {}

  static double[] allReduce(Communicator communicator, double[] values, ReduceOp op) {
    requireNonNull(values, "values");
    DoubleBuffer buffer = direct(values.length, Double.BYTES).asDoubleBuffer().put(values).flip();
    communicator.allReduce(Span.of(buffer), op);
    double[] result = new double[values.length];
    buffer.get(result);
    return result;
  }

  static float[] allReduce(Communicator communicator, float[] values, ReduceOp op) {
    requireNonNull(values, "values");
    FloatBuffer buffer = direct(values.length, Float.BYTES).asFloatBuffer().put(values).flip();
    communicator.allReduce(Span.of(buffer), op);
    float[] result = new float[values.length];
    buffer.get(result);
    return result;
  }

  static long[] allReduce(Communicator communicator, long[] values, ReduceOp op) {
    requireNonNull(values, "values");
    LongBuffer buffer = direct(values.length, Long.BYTES).asLongBuffer().put(values).flip();
    communicator.allReduce(Span.of(buffer), op);
    long[] result = new long[values.length];
    buffer.get(result);
    return result;
  }

  static int[] allReduce(Communicator communicator, int[] values, ReduceOp op) {
    requireNonNull(values, "values");
    IntBuffer buffer = direct(values.length, Integer.BYTES).asIntBuffer().put(values).flip();
    communicator.allReduce(Span.of(buffer), op);
    int[] result = new int[values.length];
    buffer.get(result);
    return result;
  }

  static double[] allGather(Communicator communicator, double[] values) {
    requireNonNull(values, "values");
    ByteBuffer own = direct(values.length, Double.BYTES);
    own.asDoubleBuffer().put(values);
    ByteBuffer all = gather(communicator, own, lengths(communicator, own.remaining()));
    double[] result = new double[all.remaining() / Double.BYTES];
    all.asDoubleBuffer().get(result);
    return result;
  }

  static byte[][] allGather(Communicator communicator, byte[] values) {
    requireNonNull(values, "values");
    long[] lengths = lengths(communicator, values.length);
    ByteBuffer all = gather(communicator, direct(values.length, 1).put(values).flip(), lengths);
    byte[][] result = new byte[lengths.length][];
    for (int rank = 0; rank < result.length; rank++) {
      result[rank] = new byte[Math.toIntExact(lengths[rank])];
      all.get(result[rank]);
    }
    return result;
  }

  static byte[] broadcast(Communicator communicator, byte[] values, int root) {
    requireNonNull(values, "values");
    LongBuffer length = direct(1, Long.BYTES).asLongBuffer().put(0, values.length);
    communicator.broadcast(Span.of(length), root);
    byte[] result = new byte[Math.toIntExact(length.get(0))];
    ByteBuffer buffer = direct(result.length, 1);
    if (communicator.rank() == root) {
      buffer.put(values).flip();
    }
    communicator.broadcast(Span.of(buffer), root);
    buffer.get(result);
    return result;
  }

  private static long[] lengths(Communicator communicator, long own) {
    LongBuffer input = direct(1, Long.BYTES).asLongBuffer().put(0, own);
    LongBuffer output = direct(communicator.size(), Long.BYTES).asLongBuffer();
    communicator.allGather(Span.of(input), Span.of(output));
    long[] lengths = new long[communicator.size()];
    output.get(lengths);
    return lengths;
  }

  private static ByteBuffer gather(Communicator communicator, ByteBuffer own, long[] lengths) {
    long sum = 0;
    for (long length : lengths) {
      sum += length;
    }
    ByteBuffer all = direct(Math.toIntExact(sum), 1);
    communicator.allGather(Span.of(own), Span.of(all), lengths);
    return all;
  }

  private static ByteBuffer direct(int count, int bytesEach) {
    return ByteBuffer.allocateDirect(Math.multiplyExact(count, bytesEach))
        .order(ByteOrder.nativeOrder());
  }
}

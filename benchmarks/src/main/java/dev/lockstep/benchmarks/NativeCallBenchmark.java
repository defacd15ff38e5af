package dev.lockstep.benchmarks;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.jni.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What crossing from Java to native code costs: a bare call, and one that goes through handle,
 * checks and dispatch.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class NativeCallBenchmark {
  private Communicator one;
  private Span span;

  @Setup
  public void open() {
    one = Communicator.single();
    span = Span.of(ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder()).asDoubleBuffer());
  }

  @TearDown
  public void close() {
    one.close();
  }

  @Benchmark
  public int bareCall() {
    return Native.ANY_RANK();
  }

  @Benchmark
  public void allReduceInAGroupOfOne() {
    one.allReduce(span, ReduceOp.SUM);
  }
}

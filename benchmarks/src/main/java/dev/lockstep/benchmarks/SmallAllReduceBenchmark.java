package dev.lockstep.benchmarks;

import dev.lockstep.comm.Backend;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One all-reduce of 16 bytes between two ranks, called from Java. The second rank is a thread that
 * answers until the sum of the second element says that the first is leaving.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SmallAllReduceBenchmark {
  @Param({"IN_PROCESS", "SHARED_MEMORY", "TCP"})
  public Backend backend;

  private Communicator first;
  private Thread second;
  private DoubleBuffer values;
  private Span span;

  @Setup
  public void open() throws IOException {
    Pair pair = Pair.over(backend);
    second = new Thread(() -> answer(pair), "second rank");
    second.start();
    first = pair.join(0);
    values = twoNumbers();
    span = Span.of(values);
  }

  @TearDown
  public void close() throws InterruptedException {
    values.put(1, 1);
    first.allReduce(span, ReduceOp.SUM);
    second.join();
    first.close();
  }

  @Benchmark
  public void allReduce16Bytes() {
    values.put(1, 0);
    first.allReduce(span, ReduceOp.SUM);
  }

  private void answer(Pair pair) {
    try (Communicator ranks = pair.join(1)) {
      DoubleBuffer own = twoNumbers();
      Span ownSpan = Span.of(own);
      do {
        own.put(1, 0);
        ranks.allReduce(ownSpan, ReduceOp.SUM);
      } while (own.get(1) == 0);
    }
  }

  private static DoubleBuffer twoNumbers() {
    return ByteBuffer.allocateDirect(16).order(ByteOrder.nativeOrder()).asDoubleBuffer();
  }
}

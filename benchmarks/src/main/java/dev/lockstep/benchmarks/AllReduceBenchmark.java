package dev.lockstep.benchmarks;

import dev.lockstep.comm.Backend;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import java.io.IOException;
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
 * All-reduce in place between two ranks that are threads of this process, back to back, without
 * rewriting the inputs: the ceiling of what {@code lockstep bench} finds between processes.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 7, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class AllReduceBenchmark {
  @Param({"IN_PROCESS", "SHARED_MEMORY", "TCP"})
  public Backend backend;

  /** Of the buffer of each rank. */
  @Param({"64", "1024", "16384"})
  public long kibibytes;

  private Communicator first;
  private NativeMemory memory;
  private Span span;
  private Thread second;

  @Setup
  public void open() throws IOException {
    Pair pair = Pair.over(backend);
    second = new Thread(() -> answer(pair), "second rank");
    second.start();
    first = pair.join(0);
    memory = first.allocate(kibibytes * 1024);
    span = all(memory);
  }

  /** The last sum is of something other than zeros, which tells the second rank to leave. */
  @TearDown
  public void close() throws InterruptedException {
    memory.buffer().putFloat(0, 1);
    first.allReduce(span, ReduceOp.MAX);
    second.join();
    first.close();
    memory.close();
  }

  @Benchmark
  public void allReduce() {
    first.allReduce(span, ReduceOp.MAX);
  }

  private void answer(Pair pair) {
    try (Communicator ranks = pair.join(1);
        NativeMemory own = ranks.allocate(kibibytes * 1024)) {
      Span ownSpan = all(own);
      do {
        ranks.allReduce(ownSpan, ReduceOp.MAX);
      } while (own.buffer().getFloat(0) == 0);
    }
  }

  private static Span all(NativeMemory memory) {
    return memory.span(0, memory.bytes() / DataType.F32.bytes(), DataType.F32);
  }
}

package dev.lockstep.benchmarks;

import dev.lockstep.comm.Backend;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.TcpOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
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
  private static final double TIMEOUT_SECONDS = 30;

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
    int port = freePort();
    second = new Thread(() -> answer(port), "second rank");
    second.start();
    first = join(0, port);
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

  private void answer(int port) {
    try (Communicator ranks = join(1, port);
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

  private Communicator join(int rank, int port) {
    return backend == Backend.IN_PROCESS
        ? Communicator.inProcess("benchmark-" + port, rank, 2, TIMEOUT_SECONDS)
        : Communicator.join(
            new TcpOptions(rank, 2, "127.0.0.1", port, "benchmark", TIMEOUT_SECONDS),
            new CommunicatorConfig(
                CommunicatorConfig.Choice.valueOf(backend.name()), TIMEOUT_SECONDS));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}

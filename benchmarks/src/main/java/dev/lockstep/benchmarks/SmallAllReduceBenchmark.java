package dev.lockstep.benchmarks;

import dev.lockstep.comm.Backend;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.TcpOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
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
  private static final double TIMEOUT_SECONDS = 30;

  @Param({"IN_PROCESS", "SHARED_MEMORY", "TCP"})
  public Backend backend;

  private Communicator first;
  private Thread second;
  private DoubleBuffer values;
  private Span span;

  @Setup
  public void open() throws IOException {
    int port = freePort();
    second = new Thread(() -> answer(port), "second rank");
    second.start();
    first = join(0, port);
    values = pair();
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

  private void answer(int port) {
    try (Communicator ranks = join(1, port)) {
      DoubleBuffer own = pair();
      Span ownSpan = Span.of(own);
      do {
        own.put(1, 0);
        ranks.allReduce(ownSpan, ReduceOp.SUM);
      } while (own.get(1) == 0);
    }
  }

  private Communicator join(int rank, int port) {
    return backend == Backend.IN_PROCESS
        ? Communicator.inProcess("benchmark-" + port, rank, 2, TIMEOUT_SECONDS)
        : Communicator.join(
            new TcpOptions(rank, 2, "127.0.0.1", port, "benchmark", TIMEOUT_SECONDS),
            new CommunicatorConfig(
                CommunicatorConfig.Choice.valueOf(backend.name()), TIMEOUT_SECONDS));
  }

  private static DoubleBuffer pair() {
    return ByteBuffer.allocateDirect(16).order(ByteOrder.nativeOrder()).asDoubleBuffer();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}

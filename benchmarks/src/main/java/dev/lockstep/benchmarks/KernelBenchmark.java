package dev.lockstep.benchmarks;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
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
 * The kernels on flat buffers, called from Java on one thread, with working sets inside the L2
 * cache and far beyond the last. {@link BandwidthShares} runs it and divides by {@link
 * Kernel#COPY}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 7, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class KernelBenchmark {
  private static final int BUFFERS = 4;

  /** Two further pages between buffers, so that they do not compete for one set of a cache. */
  private static final long APART = 8192 + 64;

  @Param public Kernel kernel;

  /** KiB of all buffers together. */
  @Param({"512", "196608"})
  public long kibibytes;

  private Communicator one;
  private NativeMemory memory;
  private final Pointer[] buffers = new Pointer[BUFFERS];
  private long count;

  @Setup
  public void allocate() {
    one = Communicator.single();
    memory = one.allocate(kibibytes * 1024 + BUFFERS * APART);
    count = kernel.count(kibibytes * 1024);
    long offset = 0;
    for (int i = 0; i < BUFFERS; i++) {
      buffers[i] = new BytePointer(new Address(memory.address() + offset));
      offset += count * kernel.elementBytes(i) + APART;
      offset -= offset % 64;
    }
  }

  @TearDown
  public void free() {
    memory.close();
    one.close();
  }

  @Benchmark
  public double call() {
    return kernel.run(buffers, count);
  }

  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}

package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@link Communicator} over a native handle. Native code checks every argument, so this class only
 * passes them on.
 */
final class NativeCommunicator implements Communicator {
  private final long handle;
  private final Backend network;
  private final Backend backend;
  private final String transport;
  private final int rank;
  private final int size;
  private final Requests requests;
  private final FlightRecorder recorder;

  /**
   * @param network what the group was opened with, beside the memory that ranks of a host share
   */
  NativeCommunicator(long handle, Backend network, FlightRecorder recorder) {
    this.handle = handle;
    this.recorder = recorder;
    this.network = network;
    this.transport = Native.communicator_backend(handle).getString();
    this.backend = transport.equals("shared-memory") ? Backend.SHARED_MEMORY : network;
    this.rank = Native.communicator_rank(handle);
    this.size = Native.communicator_size(handle);
    this.requests = new Requests(rank, size);
  }

  long handle() {
    return handle;
  }

  /** What a failure of native code becomes for the caller. */
  RuntimeException failed(RuntimeException thrown) {
    RuntimeException failure = NativeErrors.translate(thrown);
    recorder.failed(this, failure);
    return failure;
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
  public String transport() {
    return transport;
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
  public void useAlgorithm(Collective collective, @Nullable Algorithm algorithm) {
    Algorithm chosen = algorithm == null ? Algorithm.NONE : algorithm;
    try {
      Native.set_algorithm(handle, collective.code, chosen.code);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }

  @Override
  public Algorithm lastAlgorithm() {
    try {
      return Algorithm.of(Native.last_algorithm(handle));
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }

  @Override
  public void useTuning(@Nullable Path file) {
    String text = file == null || rank != 0 ? "" : read(file);
    try {
      Native.set_tuning(handle, text, String.valueOf(file));
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }

  private static String read(Path file) {
    try {
      String text = Files.readString(file);
      // An empty text would mean the built-in table.
      return text.isEmpty() ? "\n" : text;
    } catch (IOException e) {
      throw new UncheckedIOException("The tuning file " + file + " cannot be read.", e);
    }
  }

  @Override
  public NativeMemory allocate(long bytes) {
    return NativeMemory.registered(handle, bytes);
  }

  @Override
  public NativeMemory allocateShared(long bytes) {
    return NativeMemory.shared(handle, bytes);
  }

  @Override
  public void reduceStep(FusedStep step) {
    try {
      step.run(handle);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }

  @Override
  public void send(Span data, int to, int tag) {
    requests.send(data, to, tag).run(this);
  }

  @Override
  public Work sendAsync(Span data, int to, int tag) {
    return requests.send(data, to, tag).start(this);
  }

  @Override
  public int receive(Span data, int from, int tag) {
    return requests.receive(data, from, tag).run(this);
  }

  @Override
  public Work receiveAsync(Span data, int from, int tag) {
    return requests.receive(data, from, tag).start(this);
  }

  @Override
  public void broadcast(Span data, int root) {
    requests.broadcast(data, root).run(this);
  }

  @Override
  public Work broadcastAsync(Span data, int root) {
    return requests.broadcast(data, root).start(this);
  }

  @Override
  public void scatter(Span input, Span output, int root) {
    requests.scatter(input, output, root).run(this);
  }

  @Override
  public Work scatterAsync(Span input, Span output, int root) {
    return requests.scatter(input, output, root).start(this);
  }

  @Override
  public void scatter(Span input, Span output, long[] counts, int root) {
    requests.scatter(input, output, counts, root).run(this);
  }

  @Override
  public void gather(Span input, Span output, int root) {
    requests.gather(input, output, root).run(this);
  }

  @Override
  public Work gatherAsync(Span input, Span output, int root) {
    return requests.gather(input, output, root).start(this);
  }

  @Override
  public void gather(Span input, Span output, long[] counts, int root) {
    requests.gather(input, output, counts, root).run(this);
  }

  @Override
  public void allGather(Span input, Span output) {
    requests.allGather(input, output).run(this);
  }

  @Override
  public Work allGatherAsync(Span input, Span output) {
    return requests.allGather(input, output).start(this);
  }

  @Override
  public void allGather(Span input, Span output, long[] counts) {
    requests.allGather(input, output, counts).run(this);
  }

  @Override
  public void reduce(Span input, Span output, ReduceOp op, int root) {
    requests.reduce(input, output, op, root).run(this);
  }

  @Override
  public Work reduceAsync(Span input, Span output, ReduceOp op, int root) {
    return requests.reduce(input, output, op, root).start(this);
  }

  @Override
  public void reduceScatter(Span input, Span output, ReduceOp op) {
    requests.reduceScatter(input, output, op).run(this);
  }

  @Override
  public Work reduceScatterAsync(Span input, Span output, ReduceOp op) {
    return requests.reduceScatter(input, output, op).start(this);
  }

  @Override
  public void reduceScatter(Span input, Span output, long[] counts, ReduceOp op) {
    requests.reduceScatter(input, output, counts, op).run(this);
  }

  @Override
  public void allReduce(Span input, Span output, ReduceOp op) {
    requests.allReduce(input, output, op).run(this);
  }

  @Override
  public Work allReduceAsync(Span input, Span output, ReduceOp op) {
    return requests.allReduce(input, output, op).start(this);
  }

  @Override
  public void allToAll(Span input, Span output) {
    requests.allToAll(input, output).run(this);
  }

  @Override
  public Work allToAllAsync(Span input, Span output) {
    return requests.allToAll(input, output).start(this);
  }

  @Override
  public void barrier() {
    requests.barrier().run(this);
  }

  @Override
  public Work barrierAsync() {
    return requests.barrier().start(this);
  }

  @Override
  public Communicator split(int color, int key) {
    if (color < 0) {
      throw new IllegalArgumentException("The color is " + color + "; colors start at 0.");
    }
    try {
      return new NativeCommunicator(Native.split(handle, color, key), network, recorder.another());
    } catch (RuntimeException e) {
      throw failed(e);
    }
  }

  @Override
  public void setStallSeconds(double seconds) {
    try {
      Native.set_stall_seconds(handle, seconds);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }

  @Override
  public CommunicationStats statistics() {
    return NativeRecords.statistics(handle, rank);
  }

  @Override
  public List<OperationRecord> operations() {
    return NativeRecords.log(handle);
  }

  @Override
  public void recordOperations(int operations) {
    try {
      Native.record_operations(handle, operations);
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
}

package dev.lockstep.comm;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.internal.NativeGroup;
import dev.lockstep.jni.Native;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * {@link Communicator} over a native handle. Native code checks every argument, so this class only
 * passes them on.
 */
final class NativeCommunicator extends RequestingCommunicator implements NativeGroup {
  /** One that nobody remembers still has its works, and they their memory. */
  private static final Set<NativeCommunicator> OPEN = ConcurrentHashMap.newKeySet();

  private final StartedWorks works = new StartedWorks();
  private final Completions completions = new Completions(this);
  private final long handle;
  private final Backend network;
  private final Backend backend;
  private final String transport;
  private final FlightRecorder recorder;

  /**
   * @param network what the group was opened with, beside the memory that ranks of a host share
   */
  NativeCommunicator(long handle, Backend network, FlightRecorder recorder) {
    super(Native.communicator_rank(handle), Native.communicator_size(handle));
    this.handle = handle;
    this.recorder = recorder;
    this.network = network;
    this.transport = Native.communicator_backend(handle).getString();
    this.backend = transport.equals("shared-memory") ? Backend.SHARED_MEMORY : network;
    OPEN.add(this);
  }

  long handle() {
    return handle;
  }

  StartedWorks works() {
    return works;
  }

  Completions completions() {
    return completions;
  }

  @Override
  public double timeout() {
    try {
      return Native.communicator_timeout(handle);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }

  /** What a failure of native code becomes for the caller. */
  RuntimeException failed(RuntimeException thrown) {
    RuntimeException failure = NativeErrors.translate(thrown);
    recorder.failed(this, failure);
    return failure;
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
    requireNonNull(collective, "collective");
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
    String text = file == null || rank() != 0 ? "" : read(file);
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
      String reason =
          Files.isDirectory(file)
              ? "it is a folder"
              : e instanceof CharacterCodingException
                  ? "it is not text, so another kind of file"
                  : Files.exists(file) ? "check that it may be read" : "there is no such file";
      throw new UncheckedIOException(
          "The tuning file "
              + file
              + " cannot be read: "
              + reason
              + ". `lockstep bench tune --output "
              + file.getFileName()
              + "` under the jobs' launcher writes one.",
          e);
    }
  }

  @Override
  public NativeMemory allocate(long bytes) {
    return NativeMemory.registered(handle, bytes);
  }

  @Override
  public Optional<SharedMemory> sharedMemory() {
    boolean all = size() == 1 || backend == Backend.SHARED_MEMORY;
    return all ? Optional.of(new SharedMemory(this)) : Optional.empty();
  }

  @Override
  public <T> T runNative(LongFunction<T> operation) {
    requireNonNull(operation, "operation");
    try {
      return operation.apply(handle);
    } catch (RuntimeException e) {
      throw failed(e);
    }
  }

  @Override
  protected int run(Request request) {
    return request.run(this);
  }

  @Override
  protected Work start(Request request) {
    return request.start(this);
  }

  @Override
  public Channel channel(int peer, int tag) {
    return new NativeChannel(this, peer, tag);
  }

  @Override
  public Work sendAsync(Span data, int to, int tag) {
    return channel(to, tag).send(data);
  }

  @Override
  public Work receiveAsync(Span data, int from, int tag) {
    return channel(from, tag).receive(requireNonNull(data, "data"));
  }

  @Override
  public void exchange(List<Transfer> transfers) {
    double limit = timeout();
    if (!exchange(transfers, limit)) {
      throw new CollectiveTimeoutException(
          "Rank "
              + rank()
              + " waited "
              + limit
              + " s in an exchange of "
              + transfers.size()
              + " messages; some rank did not send, or does not take in, its part. The group is whole.",
          CommunicationException.NO_RANK,
          null);
    }
  }

  @Override
  public boolean exchange(List<Transfer> transfers, Duration limit) {
    requireNonNull(limit, "limit");
    return exchange(transfers, NativeWork.seconds(limit));
  }

  private boolean exchange(List<Transfer> transfers, double seconds) {
    requireNonNull(transfers, "transfers");
    boolean inTime = NativeExchange.run(handle, transfers, seconds);
    if (!inTime) {
      CommunicationInterruptedException.throwIfInterrupted(
          "in an exchange of "
              + transfers.size()
              + " messages; receives were taken back, what is being sent goes on, and the group is whole.");
    }
    return inTime;
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
  public void splitNone() {
    try {
      Native.split(handle, -1, 0);
    } catch (RuntimeException e) {
      throw failed(e);
    }
  }

  @Override
  public Communicator shrink(int... survivors) {
    requireNonNull(survivors, "survivors");
    IntBuffer list =
        ByteBuffer.allocateDirect(survivors.length * Integer.BYTES)
            .order(ByteOrder.nativeOrder())
            .asIntBuffer()
            .put(survivors)
            .flip();
    try {
      long child = Native.shrink(handle, Span.of(list).address(), survivors.length);
      return new NativeCommunicator(child, network, recorder.another());
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    } finally {
      Reference.reachabilityFence(list);
    }
  }

  @Override
  public int generation() {
    return Native.communicator_generation(handle);
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
    return NativeRecords.statistics(handle, rank());
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
    // The thread that tells may have left while the last works were ending.
    completions.tellEnded();
    works.sweep();
    OPEN.remove(this);
  }
}

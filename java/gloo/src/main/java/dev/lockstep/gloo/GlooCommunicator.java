package dev.lockstep.gloo;

import dev.lockstep.comm.Algorithm;
import dev.lockstep.comm.Backend;
import dev.lockstep.comm.Collective;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.CommunicationStats;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorClosedException;
import dev.lockstep.comm.FlightRecorder;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.OperationRecord;
import dev.lockstep.comm.Request;
import dev.lockstep.comm.RequestValidation;
import dev.lockstep.comm.RequestingCommunicator;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.StartedWork;
import dev.lockstep.comm.TcpOptions;
import dev.lockstep.comm.Work;
import dev.lockstep.jni.Native;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.bytedeco.pytorch.TCPStore;
import org.jspecify.annotations.Nullable;

/**
 * {@link Communicator} over the Gloo of the presets' libtorch. Collectives begin with an agreement
 * ({@link GlooHeader}), which costs about as much as a small collective. There is nothing to tune;
 * tuning files are not looked at. {@link #close} waits for a collective that is moving data, at
 * most for its deadline, because Gloo cannot be interrupted there.
 */
final class GlooCommunicator extends RequestingCommunicator {
  private final GlooGroup group;
  private final GlooWait waiting;
  private final FlightRecorder recorder;
  private final RequestValidation validation;
  private final GlooRecords records = new GlooRecords();
  private final ReentrantLock turn = new ReentrantLock(true);
  private final AtomicInteger queued = new AtomicInteger();
  private final ExecutorService progress;
  private volatile double timeoutSeconds;
  private volatile @Nullable GlooFailure ended;
  private boolean released;

  private GlooCommunicator(
      GlooGroup group, GlooWait waiting, TcpOptions options, FlightRecorder recorder) {
    super(options.rank(), options.worldSize());
    this.group = group;
    this.waiting = waiting;
    this.recorder = recorder;
    this.timeoutSeconds = options.timeoutSeconds();
    this.validation = new RequestValidation(options.rank(), options.worldSize());
    this.progress =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "lockstep-gloo-progress");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Joins a group; returns when all ranks have. */
  static GlooCommunicator open(TcpOptions options, FlightRecorder recorder) {
    GlooGroup.load();
    return open(GlooGroup.store(options), options, recorder);
  }

  private static GlooCommunicator open(
      TCPStore store, TcpOptions options, FlightRecorder recorder) {
    GlooWait waiting = new GlooWait(options.rank());
    GlooCommunicator opened;
    try {
      GlooGroup group = GlooGroup.connect(store, options, waiting);
      opened = new GlooCommunicator(group, waiting, options, recorder);
    } catch (RuntimeException e) {
      waiting.close();
      throw e;
    }
    // The store is at rank 0: nobody may leave before everybody has come.
    opened.barrier();
    return opened;
  }

  @Override
  public Backend backend() {
    return Backend.GLOO;
  }

  @Override
  public String transport() {
    return "gloo";
  }

  @Override
  public double timeout() {
    return timeoutSeconds;
  }

  @Override
  public void setTimeout(double seconds) {
    if (!(seconds > 0)) {
      throw new IllegalArgumentException("The timeout is " + seconds + " s; it must be above 0.");
    }
    timeoutSeconds = seconds;
  }

  @Override
  public void useAlgorithm(Collective collective, @Nullable Algorithm algorithm) {
    Objects.requireNonNull(collective, "collective");
    if (algorithm != null && algorithm != Algorithm.LIBRARY && algorithm != Algorithm.NONE) {
      throw new IllegalArgumentException(
          "Gloo chooses its algorithms itself; for "
              + collective.text()
              + " there is library, not "
              + algorithm.text()
              + ".");
    }
  }

  @Override
  public Algorithm lastAlgorithm() {
    return size() == 1 ? Algorithm.NONE : Algorithm.LIBRARY;
  }

  @Override
  public void useTuning(@Nullable Path file) {
    // Gloo has nothing to tune.
  }

  @Override
  public NativeMemory allocate(long bytes) {
    return NativeMemory.allocate(bytes);
  }

  @Override
  protected int run(Request request) {
    validation.check(request);
    return queued.get() > 0 ? start(request).await() : carryOut(request, System.nanoTime());
  }

  @Override
  protected Work start(Request request) {
    validation.check(request);
    checkOpen();
    long submitted = System.nanoTime();
    Runnable release = request.hold();
    queued.incrementAndGet();
    try {
      return StartedWork.on(
          progress,
          () -> {
            try {
              return carryOut(request, submitted);
            } finally {
              queued.decrementAndGet();
              release.run();
            }
          });
    } catch (CommunicatorClosedException e) {
      queued.decrementAndGet();
      release.run();
      throw e;
    }
  }

  private int carryOut(Request request, long submitted) {
    turn.lock();
    try {
      checkOpen();
      OperationRecord record = records.begin(request, payloadBytes(request), submitted);
      try {
        int sender = group.run(request, deadline());
        records.end(record, true);
        return sender;
      } catch (RuntimeException e) {
        records.end(record, false);
        throw failed(e);
      }
    } finally {
      turn.unlock();
      Reference.reachabilityFence(request);
    }
  }

  private long deadline() {
    return System.nanoTime() + GlooGroup.millis(timeoutSeconds) * 1_000_000;
  }

  private void checkOpen() {
    GlooFailure end = ended;
    if (end != null || waiting.isClosing()) {
      String why =
          end == null || end.code() == Native.CLOSED ? "" : " after an error: " + end.text();
      int rank = end == null ? CommunicationException.NO_RANK : end.rank();
      throw new CommunicatorClosedException("The communicator is closed" + why, rank, null);
    }
  }

  /** Ends the group; the peers are told. */
  private RuntimeException failed(RuntimeException thrown) {
    CommunicationException failure =
        thrown instanceof CommunicationException known
            ? known
            : new GlooFailure(
                    Native.SYSTEM, CommunicationException.NO_RANK, "Gloo: " + thrown.getMessage())
                .exception(thrown);
    GlooFailure end = GlooFailure.of(failure);
    ended = end;
    release(end);
    recorder.failed(this, failure);
    return failure;
  }

  /** Frees the native objects, once; holds the turn. */
  private void release(@Nullable GlooFailure failure) {
    if (!released) {
      released = true;
      try {
        group.leave(failure, deadline());
      } finally {
        group.close();
        waiting.close();
        progress.shutdown();
      }
    }
  }

  private long payloadBytes(Request request) {
    Span data =
        switch (request.operation()) {
          case Native.RECEIVE -> Span.empty();
          case Native.BROADCAST, Native.SCATTER ->
              rank() == request.rootOrPeer() ? request.input() : Span.empty();
          default -> request.input();
        };
    return data.count() * data.type().bytes();
  }

  @Override
  public Communicator split(int color, int key) {
    if (color < 0) {
      throw new IllegalArgumentException("The color is " + color + "; colors start at 0.");
    }
    byte[][] wishes = allGather((color + " " + key).getBytes(StandardCharsets.UTF_8));
    List<Integer> members = members(wishes, color);
    boolean leads = members.get(0) == rank();
    // Each group meets at a store of its own, as its parent's may be gone before it.
    TcpOptions here =
        new TcpOptions(
            members.indexOf(rank()), members.size(), group.address(), 1, "", timeoutSeconds);
    TCPStore served = leads ? GlooGroup.store(group.address(), 0, here, true) : null;
    String place = served == null ? "" : group.address() + " " + (served.getPort() & 0xffff);
    String[] leader =
        new String(
                allGather(place.getBytes(StandardCharsets.UTF_8))[members.get(0)],
                StandardCharsets.UTF_8)
            .split(" ");
    TcpOptions options =
        new TcpOptions(
            here.rank(),
            here.worldSize(),
            leader[0],
            Integer.parseInt(leader[1]),
            "",
            timeoutSeconds);
    TCPStore store =
        served == null
            ? GlooGroup.store(options.masterAddress(), options.masterPort(), options, false)
            : served;
    return open(store, options, recorder.another());
  }

  /** Ranks of this group with one color, by key, then by rank. */
  private static List<Integer> members(byte[][] wishes, int color) {
    List<Integer> members = new ArrayList<>();
    int[] keys = new int[wishes.length];
    for (int rank = 0; rank < wishes.length; rank++) {
      String[] wish = new String(wishes[rank], StandardCharsets.UTF_8).split(" ");
      keys[rank] = Integer.parseInt(wish[1]);
      if (Integer.parseInt(wish[0]) == color) {
        members.add(rank);
      }
    }
    members.sort(Comparator.comparingInt(rank -> keys[rank]));
    return members;
  }

  @Override
  public void setStallSeconds(double seconds) {
    if (!(seconds > 0)) {
      throw new IllegalArgumentException("A stall of " + seconds + " s; it must be above 0.");
    }
    waiting.setStallSeconds(seconds);
  }

  @Override
  public CommunicationStats statistics() {
    return records.statistics(rank());
  }

  @Override
  public List<OperationRecord> operations() {
    return records.operations();
  }

  @Override
  public void recordOperations(int operations) {
    records.keep(operations);
  }

  @Override
  public double communicationSeconds() {
    return statistics().seconds();
  }

  @Override
  public long communicationBytes() {
    return statistics().operations().stream()
        .mapToLong(CommunicationStats.OperationStats::bytes)
        .sum();
  }

  @Override
  public void close() {
    waiting.beginClosing();
    turn.lock();
    try {
      release(null);
    } finally {
      turn.unlock();
    }
  }
}

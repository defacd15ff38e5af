package dev.lockstep.comm;

import static java.util.Objects.requireNonNull;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A group of ranks and the messages and collectives between them, the same on every {@link
 * Backend}.
 *
 * <p>Rules that hold for every operation, with P ranks:
 *
 * <ul>
 *   <li>All ranks of the group call the same collectives in the same order, with the same types and
 *       lengths. Ranks that do not get a {@link CollectiveMismatchException} with both sides' view.
 *   <li>Every collective has a deadline ({@link #setTimeout}). A dead peer gives {@link
 *       PeerFailedException}, a silent one {@link CollectiveTimeoutException}, on every survivor,
 *       naming the rank.
 *   <li>After an error of a collective the group is closed: results are all or nothing, and later
 *       calls throw {@link CommunicatorClosedException}, which quotes the error.
 *   <li>{@link Thread#interrupt} ends whatever blocks within some 0.1 s, with {@link
 *       CommunicationInterruptedException} and the interrupt flag still set. A collective that is
 *       left in this way ends its group as any other error does, and the other ranks get {@link
 *       PeerFailedException} naming this one. A message, or a wait for a {@link Work}, leaves the
 *       group whole, as when its limit passes. MPI's own start ({@code MPI_Init}) cannot be left.
 *   <li>Input and output are the same span or do not overlap. Zero-length spans are valid. A group
 *       of one is valid.
 *   <li>Results of reductions have the same bits on every rank and on every run.
 *   <li>Messages ({@link #channel}, {@link #exchange}, {@code send}, {@code receive}) pass beside
 *       the collectives, with rules of their own: see {@link Channel}.
 *   <li>The {@code …Async} forms of collectives run in submission order on one progress thread;
 *       their spans must stay untouched until the {@link Work} has ended. A blocking operation runs
 *       after those submitted before it.
 * </ul>
 *
 * Wrong arguments throw {@link IllegalArgumentException} and leave the group as it was.
 * Thread-safe: concurrent calls are carried out one after the other; {@link #close} may be called
 * at any time.
 */
public interface Communicator extends AutoCloseable {

  /** As the source of a receive: whichever rank sends first. */
  int ANY_RANK = -1;

  /**
   * The group that this process was launched into: by mpirun, by srun, by {@code RANK}, {@code
   * WORLD_SIZE}, {@code MASTER_ADDR} and {@code MASTER_PORT}, or by nothing (a group of one). See
   * {@link LaunchEnvironment}.
   *
   * @throws RendezvousException when the group cannot be formed
   * @throws CollectiveTimeoutException naming the ranks that did not come in time
   */
  static Communicator fromEnvironment() {
    return CommunicatorFactory.fromEnvironment(CommunicatorConfig.defaults());
  }

  /** As {@link #fromEnvironment()}, with the backend and the deadline that {@code config} names. */
  static Communicator fromEnvironment(CommunicatorConfig config) {
    return CommunicatorFactory.fromEnvironment(config);
  }

  /** A group of one. */
  static Communicator single() {
    return CommunicatorFactory.single();
  }

  /**
   * Joins a group whose ranks are threads of this process. Blocks until all have joined.
   *
   * @param group a name that the ranks share
   */
  static Communicator inProcess(String group, int rank, int size, double timeoutSeconds) {
    return CommunicatorFactory.inProcess(group, rank, size, timeoutSeconds);
  }

  /**
   * Joins a group whose ranks the caller numbers, as a host application does that nothing has
   * launched. Blocks until all have joined. They meet over TCP; ranks of one host then share memory
   * if the backend is {@code AUTO} (where they can) or {@code SHARED_MEMORY}.
   *
   * @param options of these the timeout is for the forming of the group and for each operation; the
   *     configuration's is not looked at
   * @param config of its backends, {@code AUTO}, {@code SHARED_MEMORY}, {@code TCP} or {@code GLOO}
   * @throws IllegalArgumentException for another backend
   * @throws RendezvousException when the group cannot be formed
   * @throws CollectiveTimeoutException naming the ranks that did not come in time
   */
  static Communicator join(TcpOptions options, CommunicatorConfig config) {
    return CommunicatorFactory.join(options, config);
  }

  /**
   * Opens rank 0's port before the others are told of it, so that it may be one that the system
   * chooses.
   *
   * @param address a host name or address of this host; {@code 0.0.0.0} for all of its addresses
   * @param port 0 for one that the system chooses
   * @throws RendezvousException when the address is not of this host, or the port is taken
   */
  static RendezvousPort listen(String address, int port) {
    return new RendezvousPort(address, port);
  }

  /** Joins a group over TCP alone. Blocks until all have joined. */
  static Communicator tcp(TcpOptions options) {
    return CommunicatorFactory.tcp(options);
  }

  /** This process's number in the group, from 0. */
  int rank();

  /** Number of ranks in the group. */
  int size();

  Backend backend();

  /**
   * What carries the data, for reports: {@code tcp}, {@code shared-memory}, {@code
   * tcp+shared-memory} (between and inside hosts) …
   */
  String transport();

  /** Changes the deadline of the operations that follow. */
  void setTimeout(double seconds);

  /** The deadline of each operation, in seconds. */
  double timeout();

  /**
   * Makes the collectives of one kind use one algorithm from now on, here and in groups that are
   * split off later. All ranks must do the same; ranks that did not throw {@link
   * CollectiveMismatchException} in the next such collective.
   *
   * @param algorithm null to let the tuning choose again
   * @throws IllegalArgumentException naming what this group has for {@code collective}
   */
  void useAlgorithm(Collective collective, @Nullable Algorithm algorithm);

  /** How the collective that ended last was carried out. */
  Algorithm lastAlgorithm();

  /**
   * Makes all ranks choose algorithms from rank 0's tuning file; collective. The other ranks' files
   * are not looked at. Not while other operations are under way.
   *
   * @param file null for the built-in table
   * @throws IllegalArgumentException with file and line, on all ranks, when the file is wrong
   * @throws UncheckedIOException on rank 0 when it cannot be read; then the group is of no more use
   */
  void useTuning(@Nullable Path file);

  /**
   * Zeroed native memory for buffers that this communicator reduces often; the caller closes it,
   * before or after the communicator. Where ranks share memory it lies there, and is reduced in
   * place, with no copy in or out. Not collective; its peers need no such buffer, but then gain
   * nothing by this one.
   *
   * @throws CommunicationException when /dev/shm has too little left; the message says how much is
   *     needed
   */
  NativeMemory allocate(long bytes);

  /**
   * Memory that all ranks use, one and the same; empty where the ranks do not all share memory, as
   * those of one host do. A group of one has it.
   */
  default Optional<SharedMemory> sharedMemory() {
    return Optional.empty();
  }

  /**
   * The messages between this rank and {@code peer} under {@code tag}, beside the collectives: see
   * {@link Channel}. Both ranks ask for theirs; nothing travels by that.
   *
   * @param peer a rank, or {@link #ANY_RANK} to receive from whoever sends
   * @param tag from 0 to 32,767
   * @throws BackendUnavailableException where the group has no channels (Gloo)
   */
  default Channel channel(int peer, int tag) {
    throw new BackendUnavailableException(
        "The backend " + backend() + " has no channels; use auto, tcp or mpi.",
        CommunicationException.NO_RANK,
        null);
  }

  /**
   * Posts several sends and receives, in any order, and returns when all have ended: one operation
   * for halos, gossip and pipelines.
   *
   * @throws CollectiveTimeoutException when the group's deadline passes, which leaves the group
   *     whole; as in {@link #exchange(List, Duration)}
   * @throws PeerFailedException of the first message that failed, once none uses its memory any
   *     more
   */
  default void exchange(List<Transfer> transfers) {
    channel(ANY_RANK, 0);
  }

  /**
   * As {@link #exchange(List)}, at most for {@code limit}.
   *
   * @return false when it has passed: none of the memory is used any more then, receives are taken
   *     back, and what is being sent goes on
   */
  default boolean exchange(List<Transfer> transfers, Duration limit) {
    channel(ANY_RANK, 0);
    return false;
  }

  /**
   * Sends to rank {@code to}, which receives the same type, length and tag: {@link Channel#send}
   * and a wait for its end. Two ranks may both send before they receive, whatever the length and
   * the backend.
   *
   * @throws CollectiveTimeoutException when the deadline passes; what has begun to travel goes on,
   *     {@code data} is free, and the group whole
   */
  void send(Span data, int to, int tag);

  Work sendAsync(Span data, int to, int tag);

  /**
   * Receives exactly {@code data.count()} elements: {@link Channel#receive} and a wait for its end.
   * When the deadline passes, {@code data} is free, and the group whole.
   *
   * @param from a rank, or {@link #ANY_RANK}
   * @return the rank that sent
   */
  int receive(Span data, int from, int tag);

  Work receiveAsync(Span data, int from, int tag);

  /** Copies {@code data} of rank {@code root} to all. */
  void broadcast(Span data, int root);

  Work broadcastAsync(Span data, int root);

  /**
   * Rank r gets the r-th of P equal parts of the root's {@code input} (others pass {@link
   * Span#empty}).
   */
  void scatter(Span input, Span output, int root);

  Work scatterAsync(Span input, Span output, int root);

  /**
   * As {@link #scatter(Span, Span, int)} with parts of {@code counts[r]} elements; the root's
   * {@code counts} are used.
   */
  void scatter(Span input, Span output, long[] counts, int root);

  Work scatterAsync(Span input, Span output, long[] counts, int root);

  /**
   * The root's {@code output} gets every rank's {@code input} in rank order (others pass {@link
   * Span#empty}).
   */
  void gather(Span input, Span output, int root);

  Work gatherAsync(Span input, Span output, int root);

  /**
   * As {@link #gather(Span, Span, int)} with parts of {@code counts[r]} elements; the root's {@code
   * counts} are used.
   */
  void gather(Span input, Span output, long[] counts, int root);

  Work gatherAsync(Span input, Span output, long[] counts, int root);

  /** Every rank's {@code output} gets every rank's {@code input} in rank order. */
  void allGather(Span input, Span output);

  Work allGatherAsync(Span input, Span output);

  /**
   * As {@link #allGather(Span, Span)} with parts of {@code counts[r]} elements, given by all ranks
   * alike.
   */
  void allGather(Span input, Span output, long[] counts);

  Work allGatherAsync(Span input, Span output, long[] counts);

  /**
   * The root's {@code output} gets the element-wise reduction of all inputs (others pass {@link
   * Span#empty}).
   */
  void reduce(Span input, Span output, ReduceOp op, int root);

  Work reduceAsync(Span input, Span output, ReduceOp op, int root);

  /** Rank r gets the r-th of P equal parts of the reduction. */
  void reduceScatter(Span input, Span output, ReduceOp op);

  Work reduceScatterAsync(Span input, Span output, ReduceOp op);

  /**
   * As {@link #reduceScatter(Span, Span, ReduceOp)} with parts of {@code counts[r]} elements, given
   * by all alike.
   */
  void reduceScatter(Span input, Span output, long[] counts, ReduceOp op);

  Work reduceScatterAsync(Span input, Span output, long[] counts, ReduceOp op);

  /** Every rank's {@code output} gets the element-wise reduction of all inputs. */
  void allReduce(Span input, Span output, ReduceOp op);

  Work allReduceAsync(Span input, Span output, ReduceOp op);

  /**
   * The weighted average Σ wᵢ·xᵢ / Σ wᵢ over the ranks, in place; collective. Each rank's share is
   * rounded once before the sum, so equal weights need not give the bits of {@link
   * ReduceOp#AVERAGE}.
   *
   * @param data F32 or F64
   * @param weight of this rank, finite and at least 0: its samples, say; some rank's is above 0
   * @throws IllegalArgumentException on all ranks where no weight is above 0, or one is not finite
   */
  default void weightedAverage(Span data, double weight) {
    WeightedAverage.run(this, data, weight);
  }

  /** In place. */
  default void allReduce(Span data, ReduceOp op) {
    requireNonNull(data, "data");
    allReduce(data, data, op);
  }

  /** In place. */
  default Work allReduceAsync(Span data, ReduceOp op) {
    requireNonNull(data, "data");
    return allReduceAsync(data, data, op);
  }

  /**
   * Rank r's {@code output} gets the r-th of P equal parts of every rank's {@code input}, in rank
   * order.
   */
  void allToAll(Span input, Span output);

  Work allToAllAsync(Span input, Span output);

  /** Returns when every rank has come here. */
  void barrier();

  Work barrierAsync();

  /**
   * A new group of the ranks that pass the same {@code color}, ordered by {@code key}, then by
   * rank; collective. The new group lives on its own and is closed on its own.
   *
   * @param color from 0
   */
  Communicator split(int color, int key);

  /**
   * Takes part in a {@link #split(int, int)} of the other ranks without being in any of its groups;
   * collective.
   */
  default void splitNone() {
    throw new BackendUnavailableException(
        "The backend " + backend() + " cannot leave ranks out of a split.",
        CommunicationException.NO_RANK,
        null);
  }

  /**
   * A working group of those who are left after others have failed; collective over {@code
   * survivors}, each of which passes the same. It goes over channels, which outlive a failure of
   * the collectives. On connections of its own, so that late messages of this group do not reach
   * it. Close this group afterwards. Where another rank dies meanwhile, call it again with fewer.
   *
   * @param survivors ranks of this group in ascending order, this one among them
   * @throws PeerFailedException when one of them is gone, too
   * @throws CollectiveTimeoutException when one does not call it, or with other ranks
   */
  default Communicator shrink(int... survivors) {
    throw new BackendUnavailableException(
        "The backend " + backend() + " cannot form a group of survivors; use auto or tcp.",
        CommunicationException.NO_RANK,
        null);
  }

  /** How often this group's ancestors have been shrunk. */
  default int generation() {
    return 0;
  }

  /**
   * Changes how long a wait may take until the log tells who waits in which operation for whom;
   * infinity turns it off. 10 s unless set. Of the operations that follow.
   */
  void setStallSeconds(double seconds);

  /** What this rank has spent in each operation and with each peer. */
  CommunicationStats statistics();

  /** The last operations, oldest first, the running one included. */
  List<OperationRecord> operations();

  /**
   * Keeps up to {@code operations} operations for {@link #operations()} from the next one on,
   * instead of 256; each takes 64 bytes.
   *
   * @param operations from 1 to 4,194,304
   */
  void recordOperations(int operations);

  /** Seconds that this communicator has spent inside operations. */
  double communicationSeconds();

  /** Payload bytes that this rank has put into operations. */
  long communicationBytes();

  /** Leaves the group; pending work ends with {@link CommunicatorClosedException}. Idempotent. */
  @Override
  void close();

  /**
   * The element-wise reduction of all ranks' {@code values}, which stay as they are. Copies; for
   * small data.
   */
  default double[] allReduce(double[] values, ReduceOp op) {
    return ArrayCollectives.allReduce(this, values, op);
  }

  /**
   * The element-wise reduction of all ranks' {@code values}, which stay as they are. Copies; for
   * small data.
   */
  default float[] allReduce(float[] values, ReduceOp op) {
    return ArrayCollectives.allReduce(this, values, op);
  }

  /**
   * The element-wise reduction of all ranks' {@code values}, which stay as they are. Copies; for
   * small data.
   */
  default long[] allReduce(long[] values, ReduceOp op) {
    return ArrayCollectives.allReduce(this, values, op);
  }

  /**
   * The element-wise reduction of all ranks' {@code values}, which stay as they are. Copies; for
   * small data.
   */
  default int[] allReduce(int[] values, ReduceOp op) {
    return ArrayCollectives.allReduce(this, values, op);
  }

  /** All ranks' {@code values}, joined in rank order; the lengths may differ. */
  default double[] allGather(double[] values) {
    return ArrayCollectives.allGather(this, values);
  }

  /** All ranks' {@code values}, by rank; the lengths may differ. */
  default byte[][] allGather(byte[] values) {
    return ArrayCollectives.allGather(this, values);
  }

  /** The root's {@code values}; those of other ranks are not looked at and may have any length. */
  default byte[] broadcast(byte[] values, int root) {
    return ArrayCollectives.broadcast(this, values, root);
  }
}

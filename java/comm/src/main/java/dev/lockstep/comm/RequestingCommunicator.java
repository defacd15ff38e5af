package dev.lockstep.comm;

/**
 * The verbs of a communicator, each a {@link Request} that a subclass carries out; for whoever
 * writes a {@link BackendProvider}.
 */
public abstract class RequestingCommunicator implements Communicator {
  private final int rank;
  private final int size;
  private final Requests requests;

  /**
   * @param rank of this process
   * @param size of the group
   */
  protected RequestingCommunicator(int rank, int size) {
    this.rank = rank;
    this.size = size;
    this.requests = new Requests(rank, size);
  }

  /** Carries it out. @return for a receive the rank that sent, otherwise 0 */
  protected abstract int run(Request request);

  final Requests requests() {
    return requests;
  }

  /** Queues it; the caller of the verb may go on. */
  protected abstract Work start(Request request);

  @Override
  public final int rank() {
    return rank;
  }

  @Override
  public final int size() {
    return size;
  }

  @Override
  public void send(Span data, int to, int tag) {
    run(requests.send(data, to, tag));
  }

  @Override
  public Work sendAsync(Span data, int to, int tag) {
    return start(requests.send(data, to, tag));
  }

  @Override
  public int receive(Span data, int from, int tag) {
    return run(requests.receive(data, from, tag));
  }

  @Override
  public Work receiveAsync(Span data, int from, int tag) {
    return start(requests.receive(data, from, tag));
  }

  @Override
  public void broadcast(Span data, int root) {
    run(requests.broadcast(data, root));
  }

  @Override
  public Work broadcastAsync(Span data, int root) {
    return start(requests.broadcast(data, root));
  }

  @Override
  public void scatter(Span input, Span output, int root) {
    run(requests.scatter(input, output, root));
  }

  @Override
  public Work scatterAsync(Span input, Span output, int root) {
    return start(requests.scatter(input, output, root));
  }

  @Override
  public void scatter(Span input, Span output, long[] counts, int root) {
    run(requests.scatter(input, output, counts, root));
  }

  @Override
  public Work scatterAsync(Span input, Span output, long[] counts, int root) {
    return start(requests.scatter(input, output, counts, root));
  }

  @Override
  public void gather(Span input, Span output, int root) {
    run(requests.gather(input, output, root));
  }

  @Override
  public Work gatherAsync(Span input, Span output, int root) {
    return start(requests.gather(input, output, root));
  }

  @Override
  public void gather(Span input, Span output, long[] counts, int root) {
    run(requests.gather(input, output, counts, root));
  }

  @Override
  public Work gatherAsync(Span input, Span output, long[] counts, int root) {
    return start(requests.gather(input, output, counts, root));
  }

  @Override
  public void allGather(Span input, Span output) {
    run(requests.allGather(input, output));
  }

  @Override
  public Work allGatherAsync(Span input, Span output) {
    return start(requests.allGather(input, output));
  }

  @Override
  public void allGather(Span input, Span output, long[] counts) {
    run(requests.allGather(input, output, counts));
  }

  @Override
  public Work allGatherAsync(Span input, Span output, long[] counts) {
    return start(requests.allGather(input, output, counts));
  }

  @Override
  public void reduce(Span input, Span output, ReduceOp op, int root) {
    run(requests.reduce(input, output, op, root));
  }

  @Override
  public Work reduceAsync(Span input, Span output, ReduceOp op, int root) {
    return start(requests.reduce(input, output, op, root));
  }

  @Override
  public void reduceScatter(Span input, Span output, ReduceOp op) {
    run(requests.reduceScatter(input, output, op));
  }

  @Override
  public Work reduceScatterAsync(Span input, Span output, ReduceOp op) {
    return start(requests.reduceScatter(input, output, op));
  }

  @Override
  public void reduceScatter(Span input, Span output, long[] counts, ReduceOp op) {
    run(requests.reduceScatter(input, output, counts, op));
  }

  @Override
  public Work reduceScatterAsync(Span input, Span output, long[] counts, ReduceOp op) {
    return start(requests.reduceScatter(input, output, counts, op));
  }

  @Override
  public void allReduce(Span input, Span output, ReduceOp op) {
    run(requests.allReduce(input, output, op));
  }

  @Override
  public Work allReduceAsync(Span input, Span output, ReduceOp op) {
    return start(requests.allReduce(input, output, op));
  }

  @Override
  public void allToAll(Span input, Span output) {
    run(requests.allToAll(input, output));
  }

  @Override
  public Work allToAllAsync(Span input, Span output) {
    return start(requests.allToAll(input, output));
  }

  @Override
  public void barrier() {
    run(requests.barrier());
  }

  @Override
  public Work barrierAsync() {
    return start(requests.barrier());
  }
}

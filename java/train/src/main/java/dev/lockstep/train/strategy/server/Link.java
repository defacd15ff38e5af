package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Work;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.Shard;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A worker's side of the messages with one server of another process. One thread. */
final class Link implements AutoCloseable {
  private final Communicator group;
  private final int server;
  private final List<Shard> shards;
  private final NativeMemory request;
  private final NativeMemory answer;

  /** Messages of the request and of the values that follow the answer. */
  private final List<Work> under = new ArrayList<>();

  private @Nullable Work answering;

  /**
   * @param shards the server's, one for each flat buffer
   * @param parameters how many tensors there are
   */
  Link(Communicator group, int server, List<Shard> shards, int parameters) {
    this.group = group;
    this.server = server;
    this.shards = shards;
    request = NativeMemory.allocate((long) Request.length(parameters) * Long.BYTES);
    answer = NativeMemory.allocate((long) Answer.length(group.size()) * Long.BYTES);
  }

  /** Asks; the values of the answer are to land in the parameters. Never blocks. */
  void ask(Request asked, FlatBuffers gradients, FlatBuffers parameters) {
    asked.write(request.buffer().asLongBuffer());
    answering = receiveAnswer();
    for (int g = 0; g < shards.size() && asked.kind() != Request.Kind.TICK; g++) {
      if (shards.get(g).own().count() > 0) {
        under.add(group.channel(server, Tags.VALUES + g).receive(span(parameters, g)));
      }
    }
    under.add(
        group
            .channel(server, Tags.REQUEST)
            .send(request.span(0, request.bytes() / Long.BYTES, DataType.I64)));
    for (int g = 0; g < shards.size() && asked.carriesGradients(); g++) {
      if (shards.get(g).own().count() > 0) {
        under.add(group.channel(server, Tags.GRADIENTS + g).send(span(gradients, g)));
      }
    }
  }

  private Span span(FlatBuffers flat, int index) {
    ParameterRange own = shards.get(index).own();
    return flat.span(index, own.from(), own.count());
  }

  private Work receiveAnswer() {
    return group
        .channel(server, Tags.ANSWER)
        .receive(answer.span(0, answer.bytes() / Long.BYTES, DataType.I64));
  }

  /**
   * Waits for the answer, and until the values are there: as long as the server says that it waits
   * for others, whose silence is for the server to notice.
   *
   * @throws CollectiveTimeoutException when the server says nothing for the group's deadline, or
   *     has found another rank to be silent
   * @throws PeerFailedException when the server is gone, or another rank that it cannot do without
   */
  Answer await() {
    while (true) {
      Work coming = answering;
      if (coming == null) {
        throw new IllegalStateException("Nothing has been asked.");
      }
      if (!coming.await(Duration.ofNanos((long) (group.timeout() * 1e9)))) {
        throw new CollectiveTimeoutException(
            "The parameter server of rank "
                + server
                + " has said nothing for "
                + group.timeout()
                + " s: its process has stopped, is not reached, or needs a longer timeout.",
            server,
            null);
      }
      answering = null;
      Answer given = Answer.read(answer.buffer().asLongBuffer());
      switch (given.kind()) {
        case WAITING -> answering = receiveAnswer();
        case SILENT -> throw Silence.of(given.rank(), server, group.timeout());
        case GONE -> throw gone(given.rank());
        case GIVEN -> {
          under.forEach(Work::await);
          under.clear();
          return given;
        }
      }
    }
  }

  /** What the server has said of a silent rank already, where this rank waits for its answer. */
  Optional<CollectiveTimeoutException> silentSoFar() {
    Work coming = answering;
    while (coming != null && coming.isDone()) {
      try {
        coming.await();
        Answer given = Answer.read(answer.buffer().asLongBuffer());
        if (given.kind() == Answer.Kind.SILENT) {
          return Optional.of(Silence.of(given.rank(), server, group.timeout()));
        }
        coming = given.kind() == Answer.Kind.WAITING ? receiveAnswer() : null;
        answering = coming;
      } catch (CommunicationException e) {
        answering = null;
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private PeerFailedException gone(int rank) {
    return new PeerFailedException(
        rank == server
            ? "The parameter server of rank " + server + " has failed; its log says why."
            : "Rank " + rank + " is gone, says the parameter server of rank " + server + ".",
        rank,
        null);
  }

  /** Takes back what has not travelled yet, after a failure. */
  void cancel() {
    if (answering != null) {
      answering.cancel();
    }
    under.forEach(Work::cancel);
    under.clear();
  }

  @Override
  public void close() {
    cancel();
    request.close();
    answer.close();
  }
}

package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.Shard;
import dev.lockstep.train.strategy.server.Request.Kind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A rank's side of all servers, and the server that it is itself, if it is one. A request goes to
 * each of them with the slice that it keeps, and is answered by each with that slice. One thread.
 */
final class Servers implements AutoCloseable {
  private final Communicator group;
  private final @Nullable SliceServer own;
  private final List<Link> links = new ArrayList<>();

  /** One for each server of another process. */
  private final List<SignOfLife> signs = new ArrayList<>();

  /** Of a worker of dedicated servers. */
  private final @Nullable Heartbeat heartbeat;

  /** Pulses of this rank's server when the last sign was given. */
  private int signed;

  private Answer last = new Answer(0, Answer.NONE, 0, new BitSet());
  private long next;
  private long waitedNanos;

  /** What has been asked and not been taken. */
  private @Nullable Asked asked;

  /**
   * @param links that have been asked
   * @param local the answer to come of this rank's own server; null if that is not asked
   * @param gets where values land
   */
  private record Asked(
      Request request,
      List<Link> links,
      @Nullable CompletableFuture<Answer> local,
      FlatBuffers gets) {}

  /**
   * Takes the memory; serves from {@link #start} on.
   *
   * @param layout of all parameters
   * @param slice that this rank keeps, not owned
   * @param rule makes the rule of this rank's server
   */
  Servers(
      Serving serving,
      Communicator group,
      FlatLayout layout,
      ServedSlice slice,
      Function<SliceServer, UpdateRule> rule) {
    this.group = group;
    int parameters = layout.slots().size();
    own =
        serving.serves(group.rank())
            ? new SliceServer(serving, group, slice, parameters, rule)
            : null;
    for (int rank = 0; rank < serving.servers(); rank++) {
      if (rank != group.rank()) {
        List<Shard> shards = ServedSlice.shards(layout, rank, serving.servers());
        links.add(new Link(group, rank, shards, parameters));
        signs.add(new SignOfLife(group, rank, SignOfLife.Of.STEPS));
      }
    }
    heartbeat =
        serving.dedicated() > 0 && serving.works(group.rank())
            ? new Heartbeat(group, serving.dedicated())
            : null;
  }

  /** This rank's server begins to answer. */
  void start() {
    if (own != null) {
      own.start();
    }
    if (heartbeat != null) {
      heartbeat.start();
    }
  }

  /**
   * A step is over after which this rank, which is a server itself, asks nothing: the others are
   * told that it goes on, at most once in each of its server's pulses.
   */
  void stepped() {
    if (own != null && own.pulses() != signed) {
      signed = own.pulses();
      own.tell(() -> own.signed(group.rank(), SignOfLife.Of.STEPS));
      signs.forEach(SignOfLife::send);
    }
  }

  /** This rank's server takes in pushes again. */
  void resume() {
    if (own != null) {
      own.tell(own::resume);
    }
  }

  /**
   * Asks all servers, and waits for their answers.
   *
   * @param gives of whose slices the request consists, if it carries any
   * @param gets where the answers' slices land
   */
  void ask(Request request, FlatBuffers gives, FlatBuffers gets) {
    begin(request, gives, gets);
    finish();
  }

  /**
   * Asks, and does not wait: both buffers are the servers' until {@link #finish}. A rank that only
   * serves asks rank 0 alone.
   */
  void begin(Request request, FlatBuffers gives, FlatBuffers gets) {
    long start = System.nanoTime();
    failure()
        .ifPresent(
            why -> {
              throw why;
            });
    boolean toAll = request.kind() != Kind.TICK;
    CompletableFuture<Answer> local =
        own != null && (toAll || group.rank() == 0) ? own.local().ask(request, gives) : null;
    List<Link> remote = toAll ? links : group.rank() == 0 ? List.of() : links.subList(0, 1);
    asked = new Asked(request, remote, local, gets);
    try {
      remote.forEach(link -> link.ask(request, gives, gets));
    } catch (RuntimeException e) {
      throw failed(remote, e);
    }
    waitedNanos += System.nanoTime() - start;
  }

  /** Waits for the answers to what was asked last. */
  void finish() {
    Asked pending = asked;
    if (pending == null) {
      throw new IllegalStateException("Nothing has been asked.");
    }
    asked = null;
    long start = System.nanoTime();
    next = Long.MAX_VALUE;
    try {
      // In the end the first server's answer is the last.
      for (int i = pending.links().size() - 1; i >= 0; i--) {
        last = pending.links().get(i).await();
        next = Math.min(next, last.next());
      }
    } catch (RuntimeException e) {
      throw failed(pending.links(), e);
    }
    if (own != null && pending.local() != null) {
      Answer given = own.local().await(pending.local(), pending.request(), pending.gets());
      last = group.rank() == 0 || pending.links().isEmpty() ? given : last;
      next = Math.min(next, given.next());
    }
    waitedNanos += System.nanoTime() - start;
  }

  private RuntimeException failed(List<Link> remote, RuntimeException how) {
    RuntimeException why = how instanceof CommunicationException ? reason(remote, how) : how;
    remote.forEach(Link::cancel);
    if (own != null && why instanceof CollectiveTimeoutException silent) {
      own.passOn(silent);
    }
    if (why != how) {
      why.addSuppressed(how);
    }
    return why;
  }

  /**
   * A rank that is told of a silent one leaves, and where that is noticed first the silent one is
   * the reason nevertheless. Where this rank's own server has failed, the others fail because of
   * it.
   */
  private RuntimeException reason(List<Link> remote, RuntimeException how) {
    if (how instanceof CollectiveTimeoutException) {
      return how;
    }
    for (Link link : remote) {
      Optional<CollectiveTimeoutException> silent = link.silentSoFar();
      if (silent.isPresent()) {
        return silent.get();
      }
    }
    return failure().filter(known -> !(known instanceof PeerFailedException)).orElse(how);
  }

  /** This rank's server, if it has one; for tests. */
  @Nullable SliceServer server() {
    return own;
  }

  private Optional<RuntimeException> failure() {
    return own == null ? Optional.empty() : own.failure();
  }

  /** Bits of what a rank tells the others with a request. */
  static long bits(Set<Word> words) {
    return words.stream().mapToLong(AgreedWords::bit).reduce(0, (a, b) -> a | b);
  }

  /** What all ranks act on after a step, or an exchange, of this number. */
  Set<Word> agreed(long number) {
    return last.agreedAt() == number ? words() : Set.of();
  }

  /** What rank 0's server has said last. */
  Set<Word> words() {
    EnumSet<Word> words = EnumSet.noneOf(Word.class);
    for (Word word : Word.values()) {
      if ((last.words() & AgreedWords.bit(word)) != 0) {
        words.add(word);
      }
    }
    return words;
  }

  /** The number to go on with: what is before it has been taken, with this rank or without. */
  long next() {
    return next;
  }

  /** The ranks that are gone, by what rank 0 has said last. */
  BitSet lost() {
    return last.lost();
  }

  double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  @Override
  public void close() {
    if (heartbeat != null) {
      heartbeat.close();
    }
    if (own != null) {
      own.close();
    }
    links.forEach(Link::close);
    signs.forEach(SignOfLife::close);
  }
}

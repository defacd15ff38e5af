package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.engine.Update;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.strategy.LocalGradients;
import dev.lockstep.train.strategy.server.Request.Kind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A rank's part in {@link ParameterServerStrategy}: after its backward pass it pushes its
 * gradients, a slice to each server, and gets the parameters to go on with. One request and one
 * answer a server and step.
 */
final class PushPull implements GradientExchange, Update, ParameterExchange {
  private static final Logger log = LoggerFactory.getLogger(PushPull.class);

  private final Serving serving;
  private final Communicator group;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final LocalGradients local;
  private final ServedSlice slice;
  private final @Nullable SliceServer server;
  private final List<Link> links = new ArrayList<>();

  private BitSet used = new BitSet();
  private double weight;
  private double gradientScale;
  private boolean accepted;
  private Answer last = new Answer(0, Answer.NONE, 0, new BitSet());
  private long next;
  private long waitedNanos;

  /**
   * Takes the memory; serves from when the state is restored.
   *
   * @param staleness is told of the gradients that this rank's server applies
   */
  PushPull(
      Serving serving,
      Communicator group,
      FlatParameters parameters,
      ModelBuffers buffers,
      ServedSlice slice,
      Staleness staleness) {
    this.serving = serving;
    this.group = group;
    this.parameters = parameters;
    this.buffers = buffers;
    this.slice = slice;
    local = new LocalGradients(group, parameters);
    server =
        serving.serves(group.rank())
            ? new SliceServer(serving, group, slice, parameters.count(), staleness)
            : null;
    for (int rank = 0; rank < serving.servers(); rank++) {
      if (rank != group.rank()) {
        links.add(
            new Link(
                group,
                rank,
                ServedSlice.shards(parameters.layout(), rank, serving.servers()),
                parameters.count()));
      }
    }
  }

  /** The sum of synchronous gradients is that of the batch; others are each rank's mean. */
  @Override
  public double weight(Batch batch) {
    return serving.options().isSynchronous() || batch.count() == 0 ? batch.weight() : 1;
  }

  @Override
  public void begin(Step step) {
    accepted = false;
    weight = weight(step.batch());
  }

  @Override
  public void backwardBegins(boolean lossIsFinite) {}

  @Override
  public Reduced complete(Computed computed) {
    used = (BitSet) computed.used().clone();
    Reduced reduced = local.complete(computed);
    Set<Word> raised = EnumSet.noneOf(Word.class);
    raised.addAll(reduced.raised());
    raised.remove(Word.UNUSED);
    // Clipping is of the mean gradient of this rank's samples, whatever weight it has.
    double squares = weight == 0 ? 0 : reduced.squaredNorm() / (weight * weight);
    return new Reduced(reduced.owned(), squares, reduced.finite(), raised);
  }

  /** The servers update. */
  @Override
  public void apply(List<ParameterRange> owned, double learningRate, double scale) {
    accepted = true;
    gradientScale = scale;
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    double share = accepted ? step.batch().weight() : 0;
    if (share > 0 && gradientScale != 1) {
      parameters
          .layout()
          .everything()
          .forEach(all -> parameters.scaleGradients(all, gradientScale));
    }
    ask(
        new Request(
            Kind.PUSH, step.number(), words(step, reduced), share, step.learningRate(), used));
    return agreed(step);
  }

  /** A rank that only serves takes part in a step. */
  Set<Word> tick(Step step) {
    ask(
        new Request(
            Kind.TICK,
            step.number(),
            words(step, new Reduced(List.of(), 0, true, Set.of())),
            0,
            step.learningRate(),
            new BitSet()));
    return agreed(step);
  }

  private static long words(Step step, Reduced reduced) {
    long words = 0;
    for (Word word : step.needs().words()) {
      words |= AgreedWords.bit(word);
    }
    for (Word word : reduced.raised()) {
      words |= AgreedWords.bit(word);
    }
    return words;
  }

  /** What all ranks act on after a step. */
  Set<Word> agreed(Step step) {
    return last.agreedAt() == step.number() ? wordsOf(last.words()) : Set.of();
  }

  private static Set<Word> wordsOf(long bits) {
    EnumSet<Word> words = EnumSet.noneOf(Word.class);
    for (Word word : Word.values()) {
      if ((bits & AgreedWords.bit(word)) != 0) {
        words.add(word);
      }
    }
    return words;
  }

  /** Steps before this one have been taken without this rank. */
  long next() {
    return next;
  }

  /** The ranks that are gone, by what rank 0 has said last. */
  BitSet lost() {
    return last.lost();
  }

  private void ask(Request request) {
    long start = System.nanoTime();
    failure()
        .ifPresent(
            why -> {
              throw why;
            });
    LocalCaller own = server == null ? null : server.local();
    boolean toAll = request.kind() != Kind.TICK;
    CompletableFuture<Answer> pending =
        own != null && (toAll || group.rank() == 0)
            ? own.ask(request, parameters.gradients())
            : null;
    List<Link> asked =
        toAll || group.rank() == 0 ? (toAll ? links : List.of()) : links.subList(0, 1);
    next = Long.MAX_VALUE;
    takeAnswers(request, asked);
    if (own != null && pending != null) {
      Answer given = own.await(pending, request, parameters.values());
      if (group.rank() == 0 || asked.isEmpty()) {
        last = given;
      }
      next = Math.min(next, given.next());
    }
    waitedNanos += System.nanoTime() - start;
  }

  private void takeAnswers(Request request, List<Link> asked) {
    try {
      asked.forEach(link -> link.ask(request, parameters.gradients(), parameters.values()));
      // In the end the first server's answer is the last.
      for (int i = asked.size() - 1; i >= 0; i--) {
        take(asked.get(i).await());
      }
    } catch (RuntimeException e) {
      RuntimeException why = e instanceof CommunicationException ? reason(e, asked) : e;
      asked.forEach(Link::cancel);
      if (server != null && why instanceof CollectiveTimeoutException silent) {
        server.passOn(silent);
      }
      if (why != e) {
        why.addSuppressed(e);
      }
      throw why;
    }
  }

  /**
   * A rank that is told of a silent one leaves, and where that is noticed first the silent one is
   * the reason nevertheless. Where this rank's own server has failed, the others fail because of
   * it.
   */
  private RuntimeException reason(RuntimeException e, List<Link> asked) {
    if (e instanceof CollectiveTimeoutException) {
      return e;
    }
    for (Link link : asked) {
      Optional<CollectiveTimeoutException> silent = link.silentSoFar();
      if (silent.isPresent()) {
        return silent.get();
      }
    }
    return failure().filter(own -> !(own instanceof PeerFailedException)).orElse(e);
  }

  private Optional<RuntimeException> failure() {
    return server == null ? Optional.empty() : server.failure();
  }

  /** Nobody is ahead of any server. */
  private void take(Answer answer) {
    last = answer;
    next = Math.min(next, answer.next());
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    ask(new Request(Kind.MEET, next, 0, 0, 0, new BitSet()));
    Set<Word> words = wordsOf(last.words());
    if (!words.contains(Word.REGROUP)) {
      boolean works = serving.works(group.rank());
      buffers.startMerge(works ? 1.0 / serving.workers() : 0, serving.dedicated());
      buffers.finishMerge();
    }
    if (why == SyncPoint.END) {
      report();
    }
    return words;
  }

  private void report() {
    if (group.rank() == 0 && server != null && server.staleness().gradients() > 0) {
      Staleness staleness = server.staleness();
      log.info(
          "Gradients were {} updates old when they were applied, at most {}.",
          String.format(Locale.ROOT, "%.2f", staleness.mean()),
          staleness.largest());
    }
  }

  @Override
  public void goOn() {
    if (server != null) {
      server.tell(server::resume);
    }
  }

  @Override
  public void declare(TrainingState state) {
    slice.declare(state);
    state.onRestored(
        () -> {
          slice.load(parameters.values());
          if (server != null) {
            server.start();
          }
        });
  }

  /** This rank's server, if it has one; for tests. */
  @Nullable SliceServer server() {
    return server;
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  @Override
  public void close() {
    if (server != null) {
      server.close();
    }
    links.forEach(Link::close);
  }
}

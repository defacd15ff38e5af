package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.Communicator;
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
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
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
  private final Staleness staleness;
  private final Servers servers;

  private BitSet used = new BitSet();
  private double weight;
  private double gradientScale;
  private boolean accepted;

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
    this.staleness = staleness;
    local = new LocalGradients(group, parameters);
    servers = new Servers(serving, group, parameters.layout(), slice, this::rule);
  }

  private UpdateRule rule(SliceServer server) {
    return serving.options().isSynchronous()
        ? new SynchronousUpdates(
            server, slice, serving.workers(), serving.options().dropSlowest(), staleness)
        : new StaleUpdates(server, slice, serving, staleness);
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
    long words = words(step, new Reduced(List.of(), 0, true, Set.of()));
    ask(new Request(Kind.TICK, step.number(), words, 0, step.learningRate(), new BitSet()));
    return agreed(step);
  }

  private void ask(Request request) {
    servers.ask(request, parameters.gradients(), parameters.values());
  }

  private static long words(Step step, Reduced reduced) {
    return Servers.bits(step.needs().words()) | Servers.bits(reduced.raised());
  }

  /** What all ranks act on after a step. */
  Set<Word> agreed(Step step) {
    return servers.agreed(step.number());
  }

  /** Steps before this one have been taken without this rank. */
  long next() {
    return servers.next();
  }

  /** The ranks that are gone, by what rank 0 has said last. */
  @Override
  public BitSet lost() {
    return servers.lost();
  }

  @Override
  public boolean canLose(int rank) {
    return serving.canLose(rank);
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    ask(new Request(Kind.MEET, servers.next(), 0, 0, 0, new BitSet()));
    Set<Word> words = servers.words();
    if (!words.contains(Word.REGROUP)) {
      boolean works = serving.works(group.rank());
      buffers.startMerge(works ? 1.0 / serving.workers() : 0, serving.dedicated());
      buffers.finishMerge();
    }
    if (why == SyncPoint.END && group.rank() == 0 && staleness.gradients() > 0) {
      log.info(
          "Gradients were {} updates old when they were applied, at most {}.",
          String.format(Locale.ROOT, "%.2f", staleness.mean()),
          staleness.largest());
    }
    return words;
  }

  @Override
  public void goOn() {
    servers.resume();
  }

  @Override
  public void declare(TrainingState state) {
    slice.declare(state);
    state.onRestored(
        () -> {
          slice.load(parameters.values());
          servers.start();
        });
  }

  /** This rank's server, if it has one; for tests. */
  @Nullable SliceServer server() {
    return servers.server();
  }

  @Override
  public double waitedSeconds() {
    return servers.waitedSeconds();
  }

  @Override
  public void close() {
    servers.close();
  }
}

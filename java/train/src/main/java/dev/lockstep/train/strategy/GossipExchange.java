package dev.lockstep.train.strategy;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Transfer;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.optimizer.Optimizer;
import dev.lockstep.train.strategy.Gossip.Graph;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exchange of {@link Gossip}: messages between neighbours, beside the collectives. All ranks
 * mix after the same steps; a rank waits for its neighbours alone.
 */
final class GossipExchange implements ParameterExchange {
  private static final Logger log = LoggerFactory.getLogger(GossipExchange.class);

  /** Tags from here on, one for each flat buffer. */
  private static final int FIRST_TAG = 20_000;

  private final Gossip.Options options;
  private final Communicator group;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Optimizer optimizer;
  private final OwnParameters own;
  private final FlatBuffers mean;

  /** What comes from each of those that this rank hears of at once. */
  private final List<FlatBuffers> heard = new ArrayList<>();

  private final PendingWords words;
  private long waitedNanos;

  /** Takes the memory, which the context owns. */
  GossipExchange(
      Gossip.Options options,
      RoleContext context,
      FlatParameters parameters,
      ModelBuffers buffers,
      Optimizer optimizer) {
    this.options = options;
    group = context.communicator();
    this.parameters = parameters;
    this.buffers = buffers;
    this.optimizer = optimizer;
    own = context.own(new OwnParameters(parameters, Placement.Resize.MEAN));
    mean = context.own(new FlatBuffers(parameters.layout(), group::allocate));
    for (int i = 0; i < hops(options.graph(), 0, group.size()).length; i++) {
      heard.add(context.own(new FlatBuffers(parameters.layout(), group::allocate)));
    }
    words = new PendingWords(group, mean);
  }

  /**
   * How many ranks further on those are that a rank tells in an exchange; those that it hears of
   * are as many ranks back.
   *
   * @param number of the exchange, from 0
   */
  static int[] hops(Graph graph, long number, int ranks) {
    if (ranks == 1) {
      return new int[0];
    }
    return switch (graph) {
      case EXPONENTIAL -> {
        int turns = Integer.SIZE - Integer.numberOfLeadingZeros(ranks - 1);
        yield new int[] {1 << (int) (number % turns)};
      }
      case RING -> ranks == 2 ? new int[] {1} : new int[] {1, ranks - 1};
      case COMPLETE -> IntStream.range(1, ranks).toArray();
    };
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    words.add(step, reduced);
    long steps = step.number() + 1;
    if (steps % options.every() == 0) {
      mix(steps / options.every() - 1);
    }
    if (steps % options.agreeEvery() != 0) {
      return Set.of();
    }
    long start = System.nanoTime();
    Set<Word> raised = words.agree();
    waitedNanos += System.nanoTime() - start;
    return raised;
  }

  /** x ← (x + Σ of what is heard) ÷ (1 + how many are heard). */
  private void mix(long number) {
    int[] hops = hops(options.graph(), number, group.size());
    if (hops.length == 0) {
      return;
    }
    long start = System.nanoTime();
    int ranks = group.size();
    List<Transfer> transfers = new ArrayList<>();
    for (int h = 0; h < hops.length; h++) {
      int to = (group.rank() + hops[h]) % ranks;
      int from = (group.rank() - hops[h] + ranks) % ranks;
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        transfers.add(Transfer.receive(heard.get(h).span(g), from, FIRST_TAG + g));
        transfers.add(Transfer.send(parameters.values().span(g), to, FIRST_TAG + g));
      }
    }
    group.exchange(transfers);
    waitedNanos += System.nanoTime() - start;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        Tensor x = parameters.values().whole(g);
        for (FlatBuffers one : heard) {
          x.add_(one.whole(g));
        }
        x.div_(new Scalar(1.0 + heard.size()));
      }
    }
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    long start = System.nanoTime();
    mean.copyFrom(parameters.values());
    for (int g = 0; g < parameters.layout().groups().size(); g++) {
      group.allReduce(mean.span(g), ReduceOp.AVERAGE);
    }
    buffers.startMerge(1.0 / group.size(), 0);
    buffers.finishMerge();
    Set<Word> raised = words.agree();
    if (words.anyUnused()) {
      optimizer.agreeOnSteps(group);
    }
    double distance = group.allReduce(new double[] {distance()}, ReduceOp.MAX)[0];
    waitedNanos += System.nanoTime() - start;
    if (group.rank() == 0) {
      log.info(
          "The rank that is farthest from the mean of all is {} of its norm away.",
          String.format(Locale.ROOT, "%.1e", distance));
    }
    own.show(mean);
    return raised;
  }

  /** How far this rank's parameters are from the mean, as a part of the mean's norm. */
  private double distance() {
    double squares = 0;
    double norm = 0;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        double away = parameters.values().whole(g).sub(mean.whole(g)).norm().item_double();
        double of = mean.whole(g).norm().item_double();
        squares += away * away;
        norm += of * of;
      }
    }
    return norm == 0 ? 0 : Math.sqrt(squares / norm);
  }

  @Override
  public void goOn() {
    own.takeUp();
  }

  @Override
  public void declare(TrainingState state) {
    own.declare(state);
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }
}

package dev.lockstep.train.strategy;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.ReduceOp;
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
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exchange of {@link Gossip}: messages between neighbours, beside the collectives. All ranks
 * mix after the same steps; a rank waits for its neighbours alone.
 */
final class GossipExchange implements ParameterExchange {
  private static final Logger log = LoggerFactory.getLogger(GossipExchange.class);

  private final Gossip.Options options;
  private final Communicator group;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Optimizer optimizer;
  private final OwnParameters own;
  private final FlatBuffers mean;

  private final GossipMessages messages;

  /** Null where mixing weights are doubly stochastic. */
  private final @Nullable PushSum pushSum;

  /** Null where peers change from exchange to exchange. */
  private final @Nullable GossipPeers fixed;

  private final PendingWords words;

  /** Ranks without which the others are to form a group. */
  private final BitSet lost = new BitSet();

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
    pushSum = options.pushSum() ? context.own(new PushSum(parameters, mean)) : null;
    GossipPeers first = GossipPeers.of(options, 0, group.rank(), group.size());
    fixed = options.graph() == Graph.EXPONENTIAL ? null : first;
    messages =
        new GossipMessages(context, parameters.layout(), first.from().length, options.pushSum());
    words = new PendingWords(group, mean);
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    words.add(step, reduced);
    long steps = step.number() + 1;
    if (pushSum != null) {
      pushSum.fold();
    }
    if (steps % options.every() == 0) {
      mix(steps / options.every() - 1);
    }
    if (steps % options.agreeEvery() != 0) {
      return Set.of();
    }
    long start = System.nanoTime();
    try {
      return words.agree();
    } catch (PeerFailedException e) {
      return lose(e);
    } finally {
      waitedNanos += System.nanoTime() - start;
    }
  }

  /**
   * The others form a group without a rank that is gone. Not without rank 0, which keeps the run's
   * folder, and not on a user's graph, which need not hold together without it.
   */
  private Set<Word> lose(PeerFailedException e) {
    if (!canLose(e.rank())) {
      throw e;
    }
    lost.set(e.rank());
    log.warn("Rank {} is gone; the others go on without it.", e.rank());
    return EnumSet.of(Word.REGROUP);
  }

  @Override
  public BitSet lost() {
    return lost;
  }

  @Override
  public boolean canLose(int rank) {
    return rank > 0 && options.graph() != Graph.USER;
  }

  /** x ← own weight · x + Σ weight · what is heard; who is gone says nothing, and is not told. */
  private void mix(long number) {
    GossipPeers peers =
        fixed != null ? fixed : GossipPeers.of(options, number, group.rank(), group.size());
    if (group.size() == 1) {
      return;
    }
    long start = System.nanoTime();
    messages.exchange(
        peers,
        pushSum == null
            ? List.of(parameters.values())
            : List.of(pushSum.biased(), pushSum.weight()));
    waitedNanos += System.nanoTime() - start;
    BitSet gone = messages.gone();
    double[] shares = peers.shares(gone);
    List<FlatBuffers> heard = messages.heard();
    if (pushSum != null) {
      pushSum.mix(peers.own(gone), shares, heard, messages.weights());
      return;
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        Tensor x = parameters.values().whole(g);
        if (gone.isEmpty() && options.graph() != Graph.USER) {
          for (FlatBuffers one : heard) {
            x.add_(one.whole(g));
          }
          x.div_(new Scalar(1.0 + heard.size()));
          continue;
        }
        x.mul_(new Scalar(peers.own(gone)));
        for (int i = 0; i < shares.length; i++) {
          if (shares[i] > 0) {
            x.add_(heard.get(i).whole(g), new Scalar(shares[i]));
          }
        }
      }
    }
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    // A new group begins with what the old one has shown.
    goOn();
    Set<Word> raised = EnumSet.of(Word.REGROUP);
    if (lost.isEmpty()) {
      long start = System.nanoTime();
      try {
        raised = average();
      } catch (PeerFailedException e) {
        raised = lose(e);
      }
      waitedNanos += System.nanoTime() - start;
    }
    own.show(lost.isEmpty() ? mean : parameters.values());
    return raised;
  }

  /** The mean of all ranks, and what they have to say. */
  private Set<Word> average() {
    mean.copyFrom(pushSum == null ? parameters.values() : pushSum.biased());
    for (int g = 0; g < parameters.layout().groups().size(); g++) {
      group.allReduce(mean.span(g), ReduceOp.AVERAGE);
    }
    if (pushSum != null) {
      double weight = PushSum.value(pushSum.weight());
      double all = group.allReduce(new double[] {weight}, ReduceOp.SUM)[0];
      PushSum.divide(mean, mean, all / group.size());
    }
    buffers.startMerge(1.0 / group.size(), 0);
    buffers.finishMerge();
    Set<Word> raised = words.agree();
    if (words.anyUnused()) {
      optimizer.agreeOnSteps(group);
    }
    double distance = group.allReduce(new double[] {distance()}, ReduceOp.MAX)[0];
    if (group.rank() == 0) {
      log.info(
          "The rank that is farthest from the mean of all is {} of its norm away.",
          String.format(Locale.ROOT, "%.1e", distance));
    }
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
    if (pushSum != null) {
      // Where the number of ranks has changed, it is of the means of x and w.
      pushSum.showUnbiased();
    }
  }

  @Override
  public void declare(TrainingState state) {
    own.declare(state);
    PushSum pushed = pushSum;
    if (pushed != null) {
      pushed.declare(state);
      state.onRestored(
          () -> {
            if (!own.shows()) {
              pushed.begin();
            }
          });
    }
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }
}

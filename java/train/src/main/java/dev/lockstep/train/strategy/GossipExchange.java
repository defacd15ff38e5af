package dev.lockstep.train.strategy;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
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
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
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

  /** Ranks to whom messages fail. */
  private final BitSet gone = new BitSet();

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
    int peers = GossipPeers.of(options, 0, group.rank(), group.size()).from().length;
    for (int i = 0; i < peers; i++) {
      heard.add(context.own(new FlatBuffers(parameters.layout(), group::allocate)));
    }
    words = new PendingWords(group, mean);
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
    if (e.rank() <= 0 || options.graph() == Graph.USER) {
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

  /** x ← own weight · x + Σ weight · what is heard; who is gone says nothing, and is not told. */
  private void mix(long number) {
    GossipPeers peers = GossipPeers.of(options, number, group.rank(), group.size());
    if (peers.from().length == 0) {
      return;
    }
    long start = System.nanoTime();
    exchange(peers);
    waitedNanos += System.nanoTime() - start;
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
        double others = 0;
        for (int i = 0; i < peers.from().length; i++) {
          others += gone.get(peers.from()[i]) ? 0 : peers.weights()[i];
        }
        x.mul_(new Scalar(1 - others));
        for (int i = 0; i < peers.from().length; i++) {
          if (!gone.get(peers.from()[i])) {
            x.add_(heard.get(i).whole(g), new Scalar(peers.weights()[i]));
          }
        }
      }
    }
  }

  /** Tells and hears all peers at once; notes which of them are gone. */
  private void exchange(GossipPeers peers) {
    List<Work> works = new ArrayList<>();
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < peers.from().length; i++) {
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        if (!gone.get(peers.from()[i])) {
          others.add(peers.from()[i]);
          works.add(group.channel(peers.from()[i], FIRST_TAG + g).receive(heard.get(i).span(g)));
        }
        if (!gone.get(peers.to()[i])) {
          others.add(peers.to()[i]);
          works.add(group.channel(peers.to()[i], FIRST_TAG + g).send(parameters.values().span(g)));
        }
      }
    }
    try {
      for (int i = 0; i < works.size(); i++) {
        try {
          works.get(i).await();
        } catch (PeerFailedException e) {
          gone.set(others.get(i));
        }
      }
    } finally {
      works.forEach(Work::cancel);
    }
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    // A new group begins with what the old one has shown.
    own.takeUp();
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

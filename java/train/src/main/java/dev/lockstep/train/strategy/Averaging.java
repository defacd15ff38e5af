package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.memory.ControlWords;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.optimizer.Optimizer;
import java.util.EnumSet;
import java.util.Set;

/**
 * Ranks average their parameters every few steps (Stich 2019, "Local SGD converges fast and
 * communicates little"), and with them the optimiser's state (Yu et al. 2019, "On the linear
 * speedup analysis of communication efficient momentum SGD"), so that all ranks are equal after an
 * average and a checkpoint holds all there is.
 *
 * <p>Control words go beside the parameters, so between averages no rank hears of another.
 */
public final class Averaging implements ParameterExchange {
  private final int every;
  private final Communicator communicator;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Optimizer optimizer;
  private final ControlWords words;
  private final Set<Word> own = EnumSet.noneOf(Word.class);
  private boolean averaged = true;
  private long waitedNanos;

  /**
   * Names what is averaged.
   *
   * @param every steps between averages, at least 1
   */
  public Averaging(
      int every,
      Communicator communicator,
      FlatParameters parameters,
      ModelBuffers buffers,
      Optimizer optimizer) {
    this.every = every;
    this.communicator = communicator;
    this.parameters = parameters;
    this.buffers = buffers;
    this.optimizer = optimizer;
    words = new ControlWords(parameters.values());
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    own.addAll(step.needs().words());
    own.addAll(reduced.raised());
    averaged = false;
    return (step.number() + 1) % every == 0 ? average() : Set.of();
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    return averaged ? Set.of() : average();
  }

  private Set<Word> average() {
    words.set(own);
    own.clear();
    long start = System.nanoTime();
    buffers.startMerge(1.0 / communicator.size(), 0);
    average(parameters.values(), true);
    for (FlatBuffers state : optimizer.state().values()) {
      average(state, false);
    }
    buffers.finishMerge();
    Set<Word> raised = words.raised();
    if (raised.contains(Word.UNUSED)) {
      optimizer.agreeOnSteps(communicator);
    }
    waitedNanos += System.nanoTime() - start;
    averaged = true;
    return raised;
  }

  private void average(FlatBuffers flat, boolean withWords) {
    FlatLayout layout = flat.layout();
    for (int group = 0; group < layout.groups().size(); group++) {
      long header = withWords && group == 0 ? layout.headerElements(0) : 0;
      long count = layout.groups().get(group).count();
      communicator.allReduce(flat.span(group, -header, header + count), ReduceOp.AVERAGE);
    }
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }
}

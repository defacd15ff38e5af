package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.UsedParameters;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatParameters;
import java.util.EnumSet;
import java.util.Set;

/**
 * Each rank updates with its own gradients. They are weighted by the rank's share of the batch
 * times the number of ranks; so the average of the ranks' plain SGD steps is the step of the joined
 * batch, uneven batches included.
 */
public final class LocalGradients implements GradientExchange {
  private final int ranks;
  private final FlatParameters parameters;
  private final UsedParameters used;

  public LocalGradients(Communicator communicator, FlatParameters parameters) {
    this.ranks = communicator.size();
    this.parameters = parameters;
    used = new UsedParameters(parameters.layout(), communicator);
  }

  @Override
  public double weight(Batch batch) {
    return batch.weight() * ranks;
  }

  @Override
  public void begin(Step step) {}

  @Override
  public void backwardBegins(boolean lossIsFinite) {}

  @Override
  public Reduced complete(Computed computed) {
    double squares = parameters.squaredGradientNorm();
    boolean finite = computed.lossIsFinite() && parameters.gradientsAreFinite(squares);
    Set<Word> raised = EnumSet.noneOf(Word.class);
    if (!finite) {
      raised.add(Word.FAILED);
    }
    if (!computed.usesAll()) {
      raised.add(Word.UNUSED);
    }
    return new Reduced(used.ofThisRank(computed), squares, finite, raised);
  }

  @Override
  public double waitedSeconds() {
    return 0;
  }
}

package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.TrainingException;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.strategy.AllReduceExchange;
import dev.lockstep.train.strategy.Mesh;
import java.util.EnumSet;
import java.util.Set;

/**
 * The exchange of a part of a model: its gradients are summed over the ranks with the same part;
 * then the ranks of a pipeline tell each other of words, of what is not finite, and of their share
 * of the norm.
 */
final class StageExchange implements GradientExchange {
  private static final Word[] WORDS = Word.values();

  private final AllReduceExchange sum;
  private final FlatParameters parameters;
  private final OrderedSquares squares;
  private final ModelCut cut;
  private final Mesh mesh;
  private Step current = Step.NONE;
  private long waitedNanos;

  /** Owns {@code sum}. */
  StageExchange(
      AllReduceExchange sum,
      FlatParameters parameters,
      OrderedSquares squares,
      ModelCut cut,
      Mesh mesh) {
    this.sum = sum;
    this.parameters = parameters;
    this.squares = squares;
    this.cut = cut;
    this.mesh = mesh;
  }

  @Override
  public double weight(Batch batch) {
    return sum.weight(batch);
  }

  @Override
  public void begin(Step step) {
    current = step;
    sum.begin(step);
  }

  @Override
  public void backwardBegins(boolean lossIsFinite) {
    sum.backwardBegins(lossIsFinite);
  }

  @Override
  public Reduced complete(Computed computed) {
    Reduced own = sumOfSamePart(computed);
    if (!own.owned().equals(parameters.layout().everything())) {
      throw unused(computed);
    }
    long start = System.nanoTime();
    try {
      Communicator pipeline = mesh.pipeline();
      int[] flags = new int[WORDS.length + 1];
      own.raised().forEach(word -> flags[word.ordinal()] = 1);
      flags[WORDS.length] = own.finite() ? 0 : 1;
      int[] all = pipeline.allReduce(flags, ReduceOp.MAX);
      boolean finite = all[WORDS.length] == 0;
      double norm = current.needs().norm() && finite ? squares.sum() : own.squaredNorm();
      return new Reduced(own.owned(), norm, finite, raised(all));
    } catch (CommunicationException e) {
      throw PartFailure.inPipeline(e, cut, mesh);
    } finally {
      waitedNanos += System.nanoTime() - start;
    }
  }

  private Reduced sumOfSamePart(Computed computed) {
    try {
      return sum.complete(computed);
    } catch (CommunicationException e) {
      throw PartFailure.inData(e, cut, mesh);
    }
  }

  private static Set<Word> raised(int[] flags) {
    Set<Word> raised = EnumSet.noneOf(Word.class);
    for (Word word : WORDS) {
      // All parameters are used: whether a single rank of several used all of its own is no news.
      if (flags[word.ordinal()] != 0 && word != Word.UNUSED) {
        raised.add(word);
      }
    }
    if (flags[WORDS.length] != 0) {
      raised.add(Word.FAILED);
    }
    return raised;
  }

  private TrainingException unused(Computed computed) {
    return new TrainingException(
        "The loss does not depend on the parameter "
            + parameters.name(computed.used().nextClearBit(0))
            + ", and a pipeline updates all parameters in every step; remove it from the model, or"
            + " use strategy.type: data_parallel.");
  }

  @Override
  public void declare(TrainingState state) {
    sum.declare(state);
  }

  @Override
  public double waitedSeconds() {
    return sum.waitedSeconds() + waitedNanos * 1e-9;
  }

  @Override
  public void close() {
    sum.close();
  }
}

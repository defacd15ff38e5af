package dev.lockstep.train.optimizer;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.SharedMemory;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.jni.Native;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.PartNorms;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.UsedParameters;
import dev.lockstep.train.memory.ControlWords;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.ParameterRange;
import java.util.Set;

/**
 * The ranks of a host update one set of parameters together: in one native pass each sums a slice
 * of all ranks' gradients and updates that slice of the parameters, which exist once, as does the
 * optimiser's state. Gradients are never written back. Only where the step needs their norm, which
 * needs them all, are they summed first. The result has the bits of an all-reduce and an optimiser
 * on every rank.
 *
 * <p>Being exchange and update at once, it knows which of both sums the gradients.
 */
public final class FusedStep extends Optimizer implements GradientExchange {
  private final FlatParameters parameters;
  private final Communicator communicator;
  private final SharedMemory shared;
  private final ModelBuffers buffers;
  private final ControlWords words;
  private final UsedParameters used;
  private Step current = Step.NONE;
  private boolean summed;

  /** Of a rank alone: |gradient of all pieces but the last|². */
  private double partSquares;

  private long waitedNanos;

  /**
   * Makes the shared state; collective.
   *
   * @param parameters in memory that the ranks share
   */
  public FusedStep(
      OptimizerConfig config,
      FlatParameters parameters,
      ModelBuffers buffers,
      Communicator communicator,
      SharedMemory shared) {
    super(config, parameters.layout(), stateLayout(parameters.layout()), shared::allocate, null);
    this.parameters = parameters;
    this.communicator = communicator;
    this.shared = shared;
    this.buffers = buffers;
    words = new ControlWords(parameters.gradients());
    used = new UsedParameters(parameters.layout(), communicator);
  }

  @Override
  public double weight(Batch batch) {
    return batch.weight();
  }

  @Override
  public void begin(Step step) {
    current = step;
  }

  @Override
  public void backwardBegins(boolean lossIsFinite) {
    if (current.needs().parts() && communicator.size() == 1) {
      // A rank alone has the gradients of all pieces but the last here.
      partSquares = parameters.squaredGradientNorm();
    }
    buffers.startMerge(current.batch().weight(), 0);
  }

  @Override
  public Reduced complete(Computed computed) {
    long start = System.nanoTime();
    buffers.finishMerge();
    summed = current.needs().norm();
    PartNorms part = current.needs().parts() ? part() : null;
    for (int i = 0; summed && i < parameters.layout().groups().size(); i++) {
      communicator.allReduce(parameters.gradients().span(i), ReduceOp.SUM);
    }
    double squares = parameters.squaredGradientNorm();
    words.set(current.needs().words());
    if (part != null) {
      words.setSums(part.squares(), part.parts(), part.inverses());
    }
    if (!computed.lossIsFinite() || !parameters.gradientsAreFinite(squares)) {
      words.raise(Word.FAILED);
    }
    if (!computed.usesAll()) {
      words.raise(Word.UNUSED);
    }
    communicator.allReduce(words.span(), ReduceOp.SUM);
    Set<Word> raised = words.raised();
    waitedNanos += System.nanoTime() - start;
    return new Reduced(
        used.ofAllRanks(computed, raised.contains(Word.UNUSED)),
        squares,
        part == null ? null : new PartNorms(words.sum(0), words.sum(1), words.sum(2)),
        !raised.contains(Word.FAILED),
        raised);
  }

  /** Before gradients are summed: of this rank, or of the first pieces of a rank alone. */
  private PartNorms part() {
    Batch batch = current.batch();
    if (communicator.size() > 1) {
      return PartNorms.of(parameters.squaredGradientNorm(), weight(batch), batch.count());
    }
    int samples = current.pieces().get(current.pieces().size() - 1).from();
    return PartNorms.of(partSquares, (double) samples / batch.globalCount(), samples);
  }

  @Override
  long gradientAddress(ParameterRange range) {
    return address(parameters.gradients(), range);
  }

  @Override
  void sgd(ParameterRange range, long step, double learningRate) {
    FlatBuffers momentum = state().get("momentum");
    shared.run(
        group ->
            Native.reduce_sgd_step(
                group,
                !summed,
                address(parameters.values(), range),
                gradientAddress(range),
                momentum == null ? 0 : address(momentum, range),
                range.count(),
                dataType(range).code(),
                step,
                learningRate,
                config.momentum(),
                config.dampening(),
                config.weightDecay(),
                config.nesterov()));
  }

  @Override
  void adam(ParameterRange range, long step, double learningRate) {
    shared.run(
        group ->
            Native.reduce_adam_step(
                group,
                !summed,
                address(parameters.values(), range),
                gradientAddress(range),
                address(state("first_moment"), range),
                address(state("second_moment"), range),
                range.count(),
                dataType(range).code(),
                step,
                learningRate,
                config.beta1(),
                config.beta2(),
                config.epsilon(),
                config.weightDecay(),
                config.type() == Type.ADAMW));
  }

  @Override
  public boolean reducesExactly() {
    return true;
  }

  @Override
  public boolean measuresParts() {
    return words.haveSums();
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }
}

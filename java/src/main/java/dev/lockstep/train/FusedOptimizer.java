package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.FusedStep;
import dev.lockstep.comm.Span;
import dev.lockstep.train.FlatLayout.Group;
import dev.lockstep.train.OptimizerConfig.Type;

/**
 * The ranks of a host update one set of parameters together, a slice each ({@link FusedStep}); its
 * state exists once.
 */
final class FusedOptimizer extends Optimizer {
  private final Communicator communicator;
  private boolean gradientsAreReduced;

  FusedOptimizer(OptimizerConfig config, FlatParameters parameters, Communicator communicator) {
    super(config, parameters, communicator::allocateShared);
    this.communicator = communicator;
  }

  /** Whether the gradients of the steps that follow are the sums over all ranks already. */
  void setGradientsAreReduced(boolean reduced) {
    gradientsAreReduced = reduced;
  }

  @Override
  void sgd(int index, Group group, double learningRate) {
    FlatBuffers momentum = state().get("momentum");
    Span momentumState = momentum == null ? null : momentum.span(index);
    communicator.reduceStep(
        new FusedStep.Sgd(
            !gradientsAreReduced,
            parameters.values().span(index),
            parameters.gradients().span(index),
            momentumState,
            steps(),
            learningRate,
            config.momentum(),
            config.dampening(),
            config.weightDecay(),
            config.nesterov()));
  }

  @Override
  void adam(int index, Group group, double learningRate) {
    communicator.reduceStep(
        new FusedStep.Adam(
            !gradientsAreReduced,
            parameters.values().span(index),
            parameters.gradients().span(index),
            state().get("first_moment").span(index),
            state().get("second_moment").span(index),
            steps(),
            learningRate,
            config.beta1(),
            config.beta2(),
            config.epsilon(),
            config.weightDecay(),
            config.type() == Type.ADAMW));
  }
}

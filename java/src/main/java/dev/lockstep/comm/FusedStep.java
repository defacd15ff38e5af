package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import org.jspecify.annotations.Nullable;

/**
 * One optimiser step that a group of one host takes together: each rank sums a slice of all ranks'
 * gradients and updates that slice of the parameters, which exist once for all ranks, as does the
 * optimiser's state. The bits are those of an all-reduce by SUM and the optimiser on every rank.
 *
 * <p>Gradients come from {@link Communicator#allocate}, parameters and state from {@link
 * Communicator#allocateShared}. All spans of one step have the same number of elements; gradients
 * have the parameters' type; state is F64 for F64 parameters and F32 otherwise. All ranks pass the
 * same numbers.
 */
public sealed interface FusedStep {

  /** This rank's gradients; they are left as they are. */
  Span gradients();

  /** Takes the step on the communicator with this handle; collective. */
  void run(long communicator);

  /**
   * As {@code torch.optim.SGD}.
   *
   * @param reduces false where the gradients are the same on all ranks already
   * @param momentumState null without momentum
   * @param step 1 for the first step
   */
  record Sgd(
      boolean reduces,
      Span parameters,
      Span gradients,
      @Nullable Span momentumState,
      long step,
      double learningRate,
      double momentum,
      double dampening,
      double weightDecay,
      boolean nesterov)
      implements FusedStep {

    public Sgd {
      checkSpans(parameters, gradients, momentumState);
    }

    @Override
    public void run(long communicator) {
      Native.reduce_sgd_step(
          communicator,
          reduces,
          parameters.address(),
          gradients.address(),
          momentumState == null ? 0 : momentumState.address(),
          parameters.count(),
          parameters.type().code(),
          step,
          learningRate,
          momentum,
          dampening,
          weightDecay,
          nesterov);
    }
  }

  /**
   * As {@code torch.optim.Adam}, or {@code AdamW} with decoupled weight decay.
   *
   * @param reduces false where the gradients are the same on all ranks already
   * @param step 1 for the first step
   */
  record Adam(
      boolean reduces,
      Span parameters,
      Span gradients,
      Span firstMoment,
      Span secondMoment,
      long step,
      double learningRate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      boolean decoupledWeightDecay)
      implements FusedStep {

    public Adam {
      checkSpans(parameters, gradients, firstMoment, secondMoment);
    }

    @Override
    public void run(long communicator) {
      Native.reduce_adam_step(
          communicator,
          reduces,
          parameters.address(),
          gradients.address(),
          firstMoment.address(),
          secondMoment.address(),
          parameters.count(),
          parameters.type().code(),
          step,
          learningRate,
          beta1,
          beta2,
          epsilon,
          weightDecay,
          decoupledWeightDecay);
    }
  }

  private static void checkSpans(Span parameters, Span gradients, @Nullable Span... states) {
    if (gradients.count() != parameters.count() || gradients.type() != parameters.type()) {
      throw new IllegalArgumentException(
          "A fused step has " + parameters + " parameters, but " + gradients + " gradients.");
    }
    DataType wanted = parameters.type() == DataType.F64 ? DataType.F64 : DataType.F32;
    for (Span state : states) {
      if (state != null && (state.count() != parameters.count() || state.type() != wanted)) {
        throw new IllegalArgumentException(
            "A fused step of "
                + parameters
                + " parameters needs state of as many "
                + wanted
                + ", not "
                + state
                + ".");
      }
    }
  }
}

package dev.lockstep.train.engine;

import dev.lockstep.model.FloatType;
import java.util.Optional;

/** In what a step's products are computed, how a loss is scaled, and which steps count. */
public interface Precision extends Stateful {
  /** What becomes of a step, the same on all ranks wherever all know what was reduced. */
  enum Verdict {
    /** The parameters are updated. */
    APPLY,
    /** The step is left out: it changes nothing but the loss scale. */
    SKIP,
    /** The run ends, as numbers are not finite. */
    FAIL
  }

  /** The loss as it is, computed in the parameters' type; what is not finite ends the run. */
  Precision FULL = new Precision() {};

  /** The type of products in forward and backward passes; empty for that of the parameters. */
  default Optional<FloatType> reducedType() {
    return Optional.empty();
  }

  /** What losses are multiplied by before backward, and gradients divided by before the update. */
  default double lossScale() {
    return 1;
  }

  /** Whether a step may be left out, so that what it changed must be kept until it is judged. */
  default boolean maySkip() {
    return false;
  }

  /** Whether the update is to be applied; may change the scale of the steps that follow. */
  default Verdict judge(Reduced reduced) {
    return reduced.finite() ? Verdict.APPLY : Verdict.FAIL;
  }

  @Override
  default void declare(TrainingState state) {}
}

package dev.lockstep.train.engine;

/** How a loss is scaled before backward, and which steps count. */
public interface Precision extends Stateful {
  /** The loss as it is; gradients that are not finite are never applied. */
  Precision FULL =
      new Precision() {
        @Override
        public double lossScale() {
          return 1;
        }

        @Override
        public boolean accepts(Reduced reduced) {
          return reduced.finite();
        }
      };

  /** What losses are multiplied by before backward, and gradients divided by before the update. */
  double lossScale();

  /** Whether the update is to be applied; may change the scale of the steps that follow. */
  boolean accepts(Reduced reduced);

  @Override
  default void declare(TrainingState state) {}
}

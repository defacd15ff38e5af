package dev.lockstep.train.engine;

import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.memory.ParameterRange;
import java.util.function.Consumer;

/**
 * Turns each rank's gradients into those that this rank updates with. A step calls {@link #begin},
 * then, as a sink, hears of the last backward pass, then {@link #complete}. Where it communicates,
 * every rank calls every method, with or without samples. One thread.
 */
public interface GradientExchange extends GradientSink, Stateful, AutoCloseable {
  /** What this rank's mean loss over its samples of a step is multiplied by before backward. */
  double weight(Batch batch);

  /** A step begins; the gradients are zero. */
  void begin(Step step);

  /**
   * From now on {@link #complete} may tell, while other gradients are still under way, which ranges
   * hold what to update with. It need not tell of any.
   */
  default void whenReduced(Consumer<ParameterRange> listener) {}

  /** This rank's gradients are complete; on return the owned ranges hold what to update with. */
  Reduced complete(Computed computed);

  /**
   * Whether {@link #complete} leaves the exact sum of all ranks' gradients, tells every rank alike
   * whether any rank's numbers are not finite, and keeps nothing of a step, so that all can leave
   * it out. All ranks then take every step together.
   */
  default boolean reducesExactly() {
    return false;
  }

  /** Whether {@link #complete} can measure norms of parts, as {@link Needs#parts} may ask. */
  default boolean measuresParts() {
    return false;
  }

  /** Seconds that this rank has waited for others. */
  double waitedSeconds();

  @Override
  default void declare(TrainingState state) {}

  @Override
  default void close() {}
}

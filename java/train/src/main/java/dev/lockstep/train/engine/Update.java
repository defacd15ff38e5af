package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ParameterRange;
import java.util.List;

/** Turns gradients into new parameters, in ranges of the flat buffers. One thread. */
public interface Update extends Stateful, AutoCloseable {
  /**
   * Takes one range's part of the next step before the gradients of others are known; {@link
   * #apply} then does the rest of that step, and its result has the same bits. A step that is never
   * applied, because it ends the run, leaves such ranges changed. Called only where the exchange
   * tells of reduced ranges ({@link GradientExchange#whenReduced}). May do nothing, and leave the
   * range to apply.
   *
   * @param range of those that apply will be given, with gradients that need no scale
   */
  default void applyAhead(ParameterRange range, double learningRate) {}

  /**
   * Takes one step along the gradients.
   *
   * @param owned what to update; everything else keeps its value and its state
   * @param gradientScale what gradients are multiplied by first: clipping and the loss's scale
   */
  void apply(List<ParameterRange> owned, double learningRate, double gradientScale);

  @Override
  void close();
}

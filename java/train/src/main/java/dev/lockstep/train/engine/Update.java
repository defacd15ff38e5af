package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ParameterRange;
import java.util.List;

/** Turns gradients into new parameters, in ranges of the flat buffers. One thread. */
public interface Update extends Stateful, AutoCloseable {
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

package dev.lockstep.model;

import org.bytedeco.pytorch.Tensor;

/**
 * A parameter or a buffer of a model.
 *
 * @param name its path in the module, for example {@code layers.0.weight}
 * @param tensor shares the module's storage; closed with the {@link Model}
 */
public record ModelTensor(String name, Tensor tensor) {

  /** The length of each dimension, outermost first; empty for a scalar. */
  public long[] shape() {
    long[] shape = new long[(int) tensor.dim()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = tensor.size(i);
    }
    return shape;
  }
}

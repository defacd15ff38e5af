package dev.lockstep.model;

import java.util.OptionalLong;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A stage of one pass.
 *
 * @param seed of its random numbers; empty to go on with those of libtorch's generator
 */
record SeededStage(Stage stage, OptionalLong seed) {
  Tensor forward(Tensor inputs) {
    seed.ifPresent(torch::manual_seed);
    return stage.forward(inputs);
  }
}

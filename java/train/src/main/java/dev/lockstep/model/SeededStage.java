package dev.lockstep.model;

import java.util.OptionalLong;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A stage of one pass.
 *
 * @param seed of its random numbers; empty to go on with those of libtorch's generator
 * @param begins is run whenever the stage is about to be applied
 */
record SeededStage(Stage stage, OptionalLong seed, Runnable begins) {
  Tensor forward(Tensor inputs) {
    begins.run();
    seed.ifPresent(torch::manual_seed);
    return stage.forward(inputs);
  }
}

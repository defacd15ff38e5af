package dev.lockstep.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;

/**
 * A stage that keeps only its input, and computes the rest again before its backward pass (Chen et
 * al. 2016, "Training deep nets with sublinear memory cost"). The second pass begins with the same
 * seed and leaves the stage's buffers, batch statistics above all, as the first one left them.
 */
final class RecomputedStage implements TrainingPass.Part {
  private final SeededStage stage;
  private Tensor input = new Tensor();

  RecomputedStage(SeededStage stage) {
    this.stage = stage;
  }

  @Override
  public Tensor forward(Tensor input) {
    this.input = input;
    try (NoGradGuard guard = new NoGradGuard()) {
      // A stage may begin with an operation in place, and the second pass needs the same input.
      return stage.forward(input.clone());
    }
  }

  @Override
  public Tensor backward(Tensor gradient) {
    List<Tensor> buffers = stage.stage().buffers();
    List<Tensor> saved = new ArrayList<>();
    buffers.forEach(buffer -> saved.add(buffer.clone()));
    Tensor output = stage.forward(input.requires_grad() ? input.clone() : input);
    if (output.requires_grad()) {
      output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
    }
    try (NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < saved.size(); i++) {
        buffers.get(i).copy_(saved.get(i));
      }
    }
    return input.grad();
  }

  @Override
  public List<Tensor> held() {
    return List.of(input);
  }
}

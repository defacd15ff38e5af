package dev.lockstep.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;

/**
 * A stage that keeps only its input, and computes the rest again before its backward pass (Chen et
 * al. 2016, "Training deep nets with sublinear memory cost"). The second pass begins with the same
 * seed, computes in the same types, and leaves the stage's buffers, batch statistics above all, as
 * the first one left them.
 */
final class RecomputedStage implements TrainingPass.Part {
  private final SeededStage stage;

  // A copy of a parameter in a reduced type that a pass without gradients makes would also serve
  // the passes with gradients, and lead none to the parameter.
  private final AutocastState autocast = AutocastState.current().withoutCache();
  private Tensor input = new Tensor();

  /** Of a pass under the thread's present autocast. */
  RecomputedStage(SeededStage stage) {
    this.stage = stage;
  }

  @Override
  public Tensor forward(Tensor input) {
    this.input = input;
    Tensor output = new Tensor();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      // A stage may begin with an operation in place, and the second pass needs the same input.
      output.put(apply(input.clone()));
    }
    return output;
  }

  @Override
  public Tensor backward(Tensor gradient) {
    try (PointerScope scope = new PointerScope()) {
      List<Tensor> buffers = stage.stage().buffers();
      List<Tensor> saved = new ArrayList<>();
      buffers.forEach(buffer -> saved.add(buffer.clone()));
      Tensor output = apply(input.requires_grad() ? input.clone() : input);
      if (output.requires_grad()) {
        // The stage behind may compute in another type.
        Tensor own = gradient.to(output.scalar_type());
        output.backward(own, new BoolOptional(), false, new TensorArrayRefOptional());
      }
      try (NoGradGuard guard = new NoGradGuard()) {
        for (int i = 0; i < saved.size(); i++) {
          buffers.get(i).copy_(saved.get(i));
        }
      }
    }
    return input.grad();
  }

  private Tensor apply(Tensor values) {
    AutocastState before = AutocastState.current();
    autocast.set();
    try {
      return stage.forward(values);
    } finally {
      before.set();
    }
  }

  @Override
  public List<Tensor> held() {
    return List.of(input);
  }
}

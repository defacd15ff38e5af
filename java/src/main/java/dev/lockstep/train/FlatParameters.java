package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.jni.Native;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.train.FlatLayout.Group;
import dev.lockstep.train.FlatLayout.Slot;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * A model's parameters and their gradients, moved into flat buffers in which libtorch works from
 * then on: what backward accumulates lies ready to be reduced, and what the optimiser writes is the
 * model.
 *
 * <p>{@link #close} gives the model memory of its own again. Not thread-safe.
 */
final class FlatParameters implements AutoCloseable {
  private final List<ModelTensor> parameters;
  private final FlatLayout layout;
  private final FlatBuffers values;
  private final FlatBuffers gradients;

  /**
   * @param shared whether all ranks use one and the same parameters, which begin as rank 0's
   */
  FlatParameters(Model model, Communicator communicator, boolean shared) {
    parameters = model.parameters();
    layout = FlatLayout.of(parameters);
    values =
        new FlatBuffers(layout, shared ? communicator::allocateShared : communicator::allocate);
    gradients = new FlatBuffers(layout, communicator::allocate);
    boolean writes = !shared || communicator.rank() == 0;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < parameters.size(); i++) {
        Slot slot = layout.slots().get(i);
        ModelTensor parameter = parameters.get(i);
        Tensor view = values.view(slot);
        if (writes) {
          view.copy_(parameter.tensor());
        }
        parameter.moveTo(view);
        parameter.tensor().mutable_grad().put(gradients.view(slot));
      }
    }
    if (shared) {
      communicator.barrier();
    }
  }

  FlatLayout layout() {
    return layout;
  }

  FlatBuffers values() {
    return values;
  }

  FlatBuffers gradients() {
    return gradients;
  }

  Tensor parameter(int index) {
    return parameters.get(index).tensor();
  }

  /**
   * Scales the gradients down if their joint 2-norm exceeds a limit, as {@code
   * torch.nn.utils.clip_grad_norm_} does.
   */
  void clipGradients(double limit) {
    double squares = 0;
    for (int i = 0; i < layout.groups().size(); i++) {
      Group group = layout.groups().get(i);
      squares +=
          Native.sum_of_squares(gradients.address(i), group.count(), group.dataType().code());
    }
    double factor = limit / (Math.sqrt(squares) + 1e-6);
    if (factor >= 1) {
      return;
    }
    for (int i = 0; i < layout.groups().size(); i++) {
      Group group = layout.groups().get(i);
      Native.scale(gradients.address(i), group.count(), group.dataType().code(), factor);
    }
  }

  @Override
  public void close() {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (ModelTensor parameter : parameters) {
        Tensor tensor = parameter.tensor();
        tensor.mutable_grad().reset();
        parameter.moveTo(tensor.detach().clone());
      }
    }
    values.close();
    gradients.close();
  }
}

package dev.lockstep.model;

import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * A parameter or a buffer of a model.
 *
 * @param name its path in the module, for example {@code layers.0.weight}
 * @param tensor shares the module's storage; closed with the {@link Model}
 * @param views other tensors of the module that lie in this one's memory, and follow it
 */
public record ModelTensor(String name, Tensor tensor, List<View> views) {

  /**
   * A tensor of the module that is a view of another's elements, as after {@code
   * register_buffer("alias", weight.detach().t())}.
   *
   * @param name its path in the module
   * @param tensor the view; closed with the {@link Model}
   * @param offset elements from the other's first one to this one's first one
   */
  @SuppressWarnings("ArrayRecordComponent") // handed straight to libtorch
  public record View(String name, Tensor tensor, long[] shape, long[] strides, long offset) {}

  /** Copies the list. */
  public ModelTensor {
    views = List.copyOf(views);
  }

  /** The length of each dimension, outermost first; empty for a scalar. */
  public long[] shape() {
    return shape(tensor);
  }

  /**
   * Makes the module use other memory for this tensor, and for every tensor that is a view of it.
   *
   * @param place contiguous, of the same shape and type, with the values that the module shall have
   */
  public void moveTo(Tensor place) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      tensor.set_data(place);
      for (View view : views) {
        LongOptional offset = new LongOptional(place.storage_offset() + view.offset());
        view.tensor().set_data(place.as_strided(view.shape(), view.strides(), offset));
      }
    }
  }

  void close() {
    tensor.close();
    views.stream().map(View::tensor).forEach(Pointer::close);
  }

  /** The length of each dimension of a tensor, outermost first. */
  static long[] shape(Tensor tensor) {
    long[] shape = new long[(int) tensor.dim()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = tensor.size(i);
    }
    return shape;
  }
}

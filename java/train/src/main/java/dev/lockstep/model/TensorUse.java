package dev.lockstep.model;

import java.util.BitSet;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * Which tensors of a model a stage may read or write.
 *
 * @param parameters by their index in {@link Model#parameters}
 * @param buffers by their index in {@link Model#buffers}
 */
public record TensorUse(BitSet parameters, BitSet buffers) {
  /** Those of a stage of the model. */
  public static TensorUse of(Model model, Stage stage) {
    Set<Long> used = stage.tensors();
    return new TensorUse(indexes(model.parameters(), used), indexes(model.buffers(), used));
  }

  private static BitSet indexes(List<ModelTensor> tensors, Set<Long> used) {
    BitSet indexes = new BitSet();
    for (int i = 0; i < tensors.size(); i++) {
      ModelTensor tensor = tensors.get(i);
      boolean viewed =
          tensor.views().stream().anyMatch(view -> used.contains(address(view.tensor())));
      indexes.set(i, viewed || used.contains(address(tensor.tensor())));
    }
    return indexes;
  }

  private static long address(Tensor tensor) {
    return tensor.unsafeGetTensorImpl().address();
  }
}

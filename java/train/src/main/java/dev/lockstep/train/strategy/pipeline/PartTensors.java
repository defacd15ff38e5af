package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.torch.TensorSpans;
import dev.lockstep.train.memory.Distribution;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.strategy.Mesh;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Tensors of one kind, a model's parameters or its buffers, on the ranks of a pipeline: those of
 * this rank's parts, and the others, whose memory other ranks have.
 */
final class PartTensors {
  private final List<ModelTensor> all;
  private final List<Integer> parts;
  private final Mesh mesh;

  /**
   * @param all of the model's, in its order
   * @param parts of each
   */
  private PartTensors(List<ModelTensor> all, List<Integer> parts, Mesh mesh) {
    this.all = all;
    this.parts = parts;
    this.mesh = mesh;
  }

  static PartTensors parameters(Model model, ModelCut cut, Mesh mesh) {
    List<ModelTensor> all = model.parameters();
    return new PartTensors(all, cut.partsOfParameters(all.size()), mesh);
  }

  static PartTensors buffers(Model model, ModelCut cut, Mesh mesh) {
    List<ModelTensor> all = model.buffers();
    return new PartTensors(all, cut.partsOfBuffers(all.size()), mesh);
  }

  /** Those of this rank's parts. */
  List<ModelTensor> own() {
    List<ModelTensor> own = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      if (isOwn(i)) {
        own.add(all.get(i));
      }
    }
    return own;
  }

  private boolean isOwn(int tensor) {
    return rank(tensor) == mesh.pipeline().rank();
  }

  /** The rank of the pipeline that has a tensor. */
  int rank(int tensor) {
    return parts.get(tensor) % mesh.pipeline().size();
  }

  /** The layout of all, as where one rank has them. */
  FlatLayout layout() {
    return FlatLayout.of(all);
  }

  /** Which rank writes which to a checkpoint: those of the first pipeline. */
  Distribution distribution() {
    List<Integer> holders = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      holders.add(rank(i));
    }
    return new Distribution(layout(), holders, mesh.data());
  }

  /**
   * Frees the memory of the others, which keep their shapes; whoever reads them all the same finds
   * no number.
   */
  void release() {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < all.size(); i++) {
        ModelTensor tensor = all.get(i);
        // A view of it would need its memory.
        if (!isOwn(i) && tensor.views().isEmpty()) {
          ScalarType type = tensor.tensor().scalar_type();
          Tensor one = torch.zeros(new long[] {1}, new TensorOptions(type));
          if (torch.isFloatingType(type)) {
            one.fill_(new Scalar(Double.NaN));
          }
          tensor.moveTo(one.expand(tensor.shape()));
        }
      }
    }
  }

  /** Gets the others from their ranks; collective in the pipeline. */
  void complete() {
    Communicator pipeline = mesh.pipeline();
    try (NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < all.size(); i++) {
        try (PointerScope scope = new PointerScope()) {
          ModelTensor tensor = all.get(i);
          if (!isOwn(i)) {
            TensorOptions type = new TensorOptions(tensor.tensor().scalar_type());
            tensor.moveTo(torch.empty(tensor.shape(), type, new MemoryFormatOptional()));
          }
          if (tensor.tensor().numel() > 0) {
            Tensor bytes = tensor.tensor().detach().view(-1).view(ScalarType.Byte);
            pipeline.broadcast(TensorSpans.of(bytes), rank(i));
          }
        }
      }
    }
  }
}

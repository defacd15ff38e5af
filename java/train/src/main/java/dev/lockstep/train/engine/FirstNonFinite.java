package dev.lockstep.train.engine;

import dev.lockstep.train.memory.FlatParameters;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Looks for a tensor that is not finite among what a step has left in memory. */
public final class FirstNonFinite {
  private FirstNonFinite() {}

  /**
   * Of the parameters, the samples and the gradients.
   *
   * @param pieces whose samples are looked at
   * @return for example "the gradient of layer0.weight"; empty if all are finite
   */
  public static String of(FlatParameters parameters, List<MicroBatch> pieces, SampleReader reader) {
    for (int i = 0; i < parameters.count(); i++) {
      if (!isFinite(parameters.parameter(i))) {
        return "the parameter " + parameters.name(i);
      }
    }
    for (MicroBatch piece : pieces) {
      String found = piece.count() == 0 ? "" : of(piece, reader);
      if (!found.isEmpty()) {
        return found;
      }
    }
    for (int i = parameters.count() - 1; i >= 0; i--) {
      try (PointerScope scope = new PointerScope()) {
        if (!isFinite(parameters.gradients().view(parameters.layout().slots().get(i)))) {
          return "the gradient of " + parameters.name(i);
        }
      }
    }
    return "";
  }

  private static String of(MicroBatch piece, SampleReader reader) {
    try (PointerScope scope = new PointerScope()) {
      SampleReader.Samples samples = reader.read(piece);
      if (!isFinite(samples.inputs())) {
        return "the batch's features";
      }
      return isFinite(samples.targets()) ? "" : "the batch's targets";
    }
  }

  private static boolean isFinite(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      return torch.isfinite(tensor).all().item_bool();
    }
  }
}

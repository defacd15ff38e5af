package dev.lockstep.examples;

import dev.lockstep.model.PhysicalModel;
import dev.lockstep.natives.NativeLibraries;
import java.nio.DoubleBuffer;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Asks a model file that Lockstep trained, in physical numbers. */
public final class Predictor {
  private Predictor() {}

  /** Predicts one row. */
  public static double[] predict(Path modelFile, double... features) {
    NativeLibraries.load();
    try (PhysicalModel model = PhysicalModel.load(modelFile);
        PointerScope scope = new PointerScope()) {
      Tensor row = Tensor.create(features, 1, features.length);
      Tensor output = model.predict(row).to(ScalarType.Double).contiguous();
      double[] targets = new double[(int) output.numel()];
      DoubleBuffer values = output.createBuffer();
      values.get(targets);
      return targets;
    }
  }
}

package dev.lockstep.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolType;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Fully connected layers as a TorchScript module, initialised as {@code torch.nn.Linear} is:
 * weights and biases uniform in ±1/√(inputs of the layer) (He et al. 2015, "Delving deep into
 * rectifiers", with a = √5).
 */
final class Mlp {
  private Mlp() {}

  /** Builds it; the caller closes the module. The same seed gives the same bits everywhere. */
  static JitModule build(ModelConfig config, int inputs, int outputs, long seed) {
    List<Integer> widths = new ArrayList<>();
    widths.add(inputs);
    widths.addAll(config.hidden());
    widths.add(outputs);
    Random random = new Random(seed);
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module("Mlp");
      StringBuilder forward = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
      for (int layer = 0; layer + 1 < widths.size(); layer++) {
        int fanIn = widths.get(layer);
        int fanOut = widths.get(layer + 1);
        JitModule linear = module("Linear");
        register(linear, "weight", uniform(random, fanIn, config, fanOut, fanIn));
        register(linear, "bias", uniform(random, fanIn, config, fanOut));
        module.register_module("layer" + layer, linear);
        if (layer > 0) {
          forward.append(
              String.format(Locale.ROOT, "    x = %s(x)\n", config.activation().function()));
        }
        forward.append(
            String.format(
                Locale.ROOT,
                "    x = torch.linear(x, self.layer%1$d.weight, self.layer%1$d.bias)\n",
                layer));
      }
      module.define(forward.append("    return x\n").toString());
      module.retainReference();
      return module;
    }
  }

  /** An empty module that knows {@code train()} and {@code eval()}. */
  static JitModule module(String name) {
    JitModule module = new JitModule(new QualifiedName("__torch__.lockstep." + name));
    module.register_attribute("training", new Type.TypePtr(BoolType.get().get()), new IValue(true));
    return module;
  }

  private static void register(JitModule module, String name, Tensor value) {
    module.register_parameter(name, value.set_requires_grad(true), false);
  }

  private static Tensor uniform(Random random, int fanIn, ModelConfig config, long... shape) {
    long count = 1;
    for (long length : shape) {
      count *= length;
    }
    double bound = 1 / Math.sqrt(fanIn);
    double[] values = random.doubles(count, -bound, bound).toArray();
    return tensor(values, shape).to(config.dtype().scalarType());
  }

  /** A new float64 tensor; belongs to the current scope. */
  static Tensor tensor(double[] values, long... shape) {
    return torch
        .from_blob(new DoublePointer(values), shape, new TensorOptions(ScalarType.Double))
        .clone();
  }
}

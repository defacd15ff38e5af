package dev.lockstep.model;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolType;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.MemoryFormatOptional;
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
  /** Random numbers drawn at once, so that a large layer does not need as much of Java's heap. */
  private static final int PIECE = 1 << 20;

  private Mlp() {}

  /**
   * Builds it; the caller closes the module. The same seed gives the same bits everywhere. Each
   * layer is a submodule with its activation, so that the whole can be cut between layers.
   *
   * @throws ModelException if it does not fit this machine's memory
   */
  static BuiltModule build(ModelConfig config, int inputs, int outputs, long seed) {
    List<Integer> widths = new ArrayList<>();
    widths.add(inputs);
    widths.addAll(config.hidden());
    widths.add(outputs);
    checkMemory(config, widths);
    Random random = new Random(seed);
    Map<String, BlockCode> blocks = new HashMap<>();
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module("Mlp");
      StringBuilder forward = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
      for (int layer = 0; layer + 1 < widths.size(); layer++) {
        int fanIn = widths.get(layer);
        int fanOut = widths.get(layer + 1);
        boolean last = layer + 2 == widths.size();
        module.register_module("layer" + layer, layer(config, random, fanIn, fanOut, last));
        blocks.put("layer" + layer, code(config, last));
        // Concatenated, not formatted: a locale may have digits of its own.
        forward.append("    x = self.layer" + layer + ".forward(x)\n");
      }
      module.define(forward.append("    return x\n").toString());
      module.retainReference();
      return new BuiltModule(module, blocks);
    } catch (RuntimeException e) {
      if (e instanceof ModelException) {
        throw e;
      }
      throw new ModelException(
          "The mlp with hidden layers "
              + config.hidden()
              + " cannot be built ("
              + ModelException.reason(e)
              + ").",
          e);
    }
  }

  /** A linear map, and the activation unless it is the last. */
  static JitModule layer(ModelConfig config, Random random, int fanIn, int fanOut, boolean last) {
    JitModule linear = module("Linear");
    register(linear, "weight", uniform(random, fanIn, config.dtype(), fanOut, fanIn));
    register(linear, "bias", uniform(random, fanIn, config.dtype(), fanOut));
    linear.define(code(config, last).forward());
    return linear;
  }

  /** A layer's code, cut between the linear map, which takes slices of its inputs, and the rest. */
  private static BlockCode code(ModelConfig config, boolean last) {
    return new BlockCode(
        "",
        "y = torch.linear(y, self.weight, self.bias)",
        last ? "y" : config.activation().function() + "(y)",
        List.of(new BlockCode.SlicedParameter("weight", 1, 1, 1)),
        "bias");
  }

  private static void checkMemory(ModelConfig config, List<Integer> widths) {
    double count = 0;
    for (int layer = 0; layer + 1 < widths.size(); layer++) {
      count += (widths.get(layer) + 1.0) * widths.get(layer + 1);
    }
    double bytes = 2 * count * config.dtype().dataType().bytes();
    long memory =
        ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
    if (bytes > memory) {
      throw new ModelException(
          String.format(
              Locale.ROOT,
              "hidden: %s makes %.0f parameters, which take %.1f GiB with their gradients; this"
                  + " machine has %.1f GiB. Use fewer or narrower layers.",
              config.hidden(),
              count,
              bytes / (1 << 30),
              (double) memory / (1 << 30)));
    }
  }

  /** An empty module that knows {@code train()} and {@code eval()}. */
  static JitModule module(String name) {
    JitModule module = new JitModule(new QualifiedName("__torch__.lockstep." + name));
    module.register_attribute("training", new Type.TypePtr(BoolType.get().get()), new IValue(true));
    return module;
  }

  static void register(JitModule module, String name, Tensor value) {
    module.register_parameter(name, value.set_requires_grad(true), false);
  }

  static Tensor uniform(Random random, int fanIn, FloatType type, long... shape) {
    TensorOptions options = new TensorOptions(type.scalarType());
    Tensor values = torch.empty(shape, options, new MemoryFormatOptional());
    Tensor flat = values.view(-1);
    double bound = 1 / Math.sqrt(fanIn);
    for (long from = 0; from < flat.numel(); from += PIECE) {
      long count = Math.min(PIECE, flat.numel() - from);
      try (PointerScope scope = new PointerScope()) {
        Tensor piece = tensor(random.doubles(count, -bound, bound).toArray(), count);
        flat.narrow(0, from, count).copy_(piece);
      }
    }
    return values;
  }

  /** A new float64 tensor; belongs to the current scope. */
  static Tensor tensor(double[] values, long... shape) {
    return torch
        .from_blob(new DoublePointer(values), shape, new TensorOptions(ScalarType.Double))
        .clone();
  }
}

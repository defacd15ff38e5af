package dev.lockstep.model;

import static java.util.Objects.requireNonNull;

import dev.lockstep.torch.TorchLibraries;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.bytedeco.pytorch.named_buffer_iterator;
import org.bytedeco.pytorch.named_buffer_list;
import org.bytedeco.pytorch.named_module_iterator;
import org.bytedeco.pytorch.named_module_list;
import org.bytedeco.pytorch.named_parameter_iterator;
import org.bytedeco.pytorch.named_parameter_list;

/**
 * A model file for use: physical numbers in, physical numbers out. For a trained {@link Model} that
 * is a TorchScript module of three steps, input normalisation, the network as submodule {@code
 * network}, and the way back for its outputs, so that the file alone is enough in Python, C++ and
 * here. Any other TorchScript file is taken as it is.
 *
 * <p>One thread at a time.
 */
public final class PhysicalModel implements AutoCloseable {
  /** What {@link #save} writes the description to, inside the file. */
  public static final String DESCRIPTION_ENTRY = "lockstep.json";

  private static final String NETWORK = "network";

  // Raw numbers (hours since 1900, say) can need more digits than the network's type has, so both
  // maps are in float64. The compiler of define() knows types by their ScalarType number only.
  private static final String FORWARD =
      """
      def forward(self, x: Tensor) -> Tensor:
          z = INPUTS.to(NETWORK_TYPE)
          y = self.network.forward(z).to(FLOAT64)
      OUTPUTS    return (y * self.output_scale + self.output_offset).to(x.dtype)
      """;

  private final JitModule module;
  private final String description;

  private PhysicalModel(JitModule module, String description) {
    torch.setGraphExecutorOptimize(false);
    this.module = module;
    this.description = description;
    module.eval();
  }

  /**
   * Reads a TorchScript file.
   *
   * @throws ModelException if that fails
   */
  public static PhysicalModel load(Path file) {
    requireNonNull(file, "file");
    TorchLibraries.load();
    return new PhysicalModel(TorchScriptFile.load(file), file.toString());
  }

  /**
   * Writes a trained model with its normalisers. The file appears whole or not at all.
   *
   * @param model the network; it is in training mode afterwards
   * @param inputs physical features to what the network sees
   * @param outputs physical targets to what the network predicts
   * @param form what the network predicts
   * @param targetShape of one sample
   * @param missingIsMean whether an input that is NaN is taken for what the network sees as 0, as
   *     in a training with masked features
   * @param json what readers may want to know, kept beside the module as {@value
   *     #DESCRIPTION_ENTRY}
   */
  public static void save(
      Model model,
      Scaling inputs,
      Scaling outputs,
      OutputForm form,
      long[] targetShape,
      boolean missingIsMean,
      String json,
      Path file) {
    requireNonNull(model, "model");
    requireNonNull(inputs, "inputs");
    requireNonNull(outputs, "outputs");
    requireNonNull(json, "json");
    requireNonNull(file, "file");
    try (PointerScope scope = new PointerScope()) {
      JitModule whole = Mlp.module("PhysicalModel");
      whole.register_module(NETWORK, model.module());
      whole.register_buffer("input_offset", column(inputs, inputs.offset()));
      whole.register_buffer("input_scale", column(inputs, inputs.scale()));
      whole.register_buffer("output_offset", column(outputs, outputs.offset()));
      whole.register_buffer("output_scale", column(outputs, outputs.scale()));
      whole.define(forward(model.type(), missingIsMean, form.code(targetShape)));
      whole.eval();
      try {
        TorchScriptFile.save(whole, file, DESCRIPTION_ENTRY, json);
      } finally {
        model.setTraining(true);
      }
    }
  }

  private static Tensor column(Scaling scaling, double[] values) {
    long[] shape = new long[1 + scaling.dimensionsBehind()];
    Arrays.fill(shape, 1);
    shape[0] = values.length;
    return Mlp.tensor(values, shape);
  }

  private static String forward(FloatType networkType, boolean missingIsMean, String outputs) {
    String inputs = "(x.to(FLOAT64) - self.input_offset) / self.input_scale";
    return FORWARD
        .replace("OUTPUTS", outputs)
        .replace("INPUTS", missingIsMean ? "torch.nan_to_num(" + inputs + ")" : "(" + inputs + ")")
        .replace("FLOAT64", Integer.toString(FloatType.FLOAT64.scalarType().value))
        .replace("NETWORK_TYPE", Integer.toString(networkType.scalarType().value));
  }

  /**
   * Applies the model to a batch, without gradients.
   *
   * @param inputs shape [samples, features], physical numbers
   * @return shape [samples, outputs], physical numbers of the inputs' type; belongs to the current
   *     {@link PointerScope}
   * @throws ModelException if the model refuses the inputs
   */
  public Tensor predict(Tensor inputs) {
    try (NoGradGuard guard = new NoGradGuard()) {
      return TorchScriptFile.forward(module, inputs, description);
    }
  }

  /** The type of the first floating-point parameter or buffer; float32 if there is none. */
  ScalarType type() {
    try (PointerScope scope = new PointerScope()) {
      named_parameter_list parameters = module.named_parameters(true);
      named_parameter_iterator end = parameters.end();
      for (named_parameter_iterator i = parameters.begin(); i.notEquals(end); i.increment()) {
        ScalarType type = i.access().value().scalar_type().intern();
        if (torch.isFloatingType(type)) {
          return type;
        }
      }
      named_buffer_list buffers = module.named_buffers(true);
      named_buffer_iterator last = buffers.end();
      for (named_buffer_iterator i = buffers.begin(); i.notEquals(last); i.increment()) {
        ScalarType type = i.access().value().scalar_type().intern();
        if (torch.isFloatingType(type)) {
          return type;
        }
      }
    }
    return ScalarType.Float;
  }

  /** The network inside a module that {@link #save} wrote; any other module is its own network. */
  static JitModule networkOf(JitModule module) {
    if (!module.hasattr("input_offset") || !module.hasattr(NETWORK)) {
      return module;
    }
    try (PointerScope scope = new PointerScope()) {
      named_module_list children = module.named_children();
      named_module_iterator end = children.end();
      for (named_module_iterator i = children.begin(); i.notEquals(end); i.increment()) {
        if (i.access().name().getString().equals(NETWORK)) {
          JitModule network = new JitModule(i.access().value());
          network.retainReference();
          module.close();
          return network;
        }
      }
    }
    return module;
  }

  @Override
  public void close() {
    module.close();
  }
}

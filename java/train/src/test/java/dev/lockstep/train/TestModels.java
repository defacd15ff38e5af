package dev.lockstep.train;

import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolType;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.OptionalType;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** TorchScript files as users bring them; 4 inputs, 2 outputs. */
final class TestModels {
  private TestModels() {}

  /** With batch statistics, a counter of batches, and a constant that no step may move. */
  static Path batchNorm(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module();
      parameter(module, "w", ScalarType.Float, 2, 4);
      parameter(module, "b", ScalarType.Float, 2);
      module.register_buffer("running_mean", torch.zeros(new long[] {4}));
      module.register_buffer("running_var", torch.ones(new long[] {4}));
      module.register_buffer("batches", torch.zeros(new long[] {1}).to(ScalarType.Long));
      module.register_buffer("constant", fill(ScalarType.Float, 0.1, 5));
      module.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              if self.training:
                  self.batches.add_(1)
              n = torch.batch_norm(x, None, None, self.running_mean, self.running_var, self.training, 0.1, 1e-5, False)
              return torch.linear(n, self.w, self.b) * (1.0 + self.constant[0])
          """);
      return save(module, file);
    }
  }

  /** With a parameter that the forward pass does not use, and one that is not to be trained. */
  static Path unused(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module();
      parameter(module, "w", ScalarType.Float, 2, 4);
      parameter(module, "unused", ScalarType.Float, 3, 100);
      parameter(module, "b", ScalarType.Float, 2);
      module.register_parameter("frozen", fill(ScalarType.Float, 1, 2), false);
      module.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.linear(x, self.w, self.b) + self.frozen
          """);
      return save(module, file);
    }
  }

  /** A linear model of any floating type. */
  static Path linear(Path file, ScalarType type) {
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module();
      parameter(module, "w", type, 2, 4);
      parameter(module, "b", type, 2);
      module.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.linear(x, self.w, self.b)
          """);
      return save(module, file);
    }
  }

  /** With dropout, and one layer in float64: two flat buffers. */
  static Path dropoutAndTwoTypes(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module();
      parameter(module, "w1", ScalarType.Float, 8, 4);
      parameter(module, "w2", ScalarType.Double, 2, 8);
      module.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              h = torch.dropout(torch.linear(x, self.w1), 0.2, self.training)
              return torch.linear(h.double(), self.w2).float()
          """);
      return save(module, file);
    }
  }

  /** With a buffer that is a view of a parameter, and one that is a part of another buffer. */
  static Path views(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module();
      parameter(module, "w", ScalarType.Float, 2, 4);
      module.register_buffer("transposed", parameter(module, "w").detach().t());
      Tensor counts = fill(ScalarType.Float, 0, 3);
      module.register_buffer("last", counts.narrow(0, 2, 1));
      module.register_buffer("counts", counts);
      module.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              if self.training:
                  self.counts.add_(1)
              return torch.matmul(x, self.transposed) * 0 + torch.linear(x, self.w)
          """);
      return save(module, file);
    }
  }

  /** With two trainable parameters in the same memory. */
  static Path tiedByView(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module();
      parameter(module, "encoder", ScalarType.Float, 2, 4);
      Tensor view = parameter(module, "encoder").detach().t().set_requires_grad(true);
      module.register_parameter("decoder", view, false);
      module.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.linear(x, self.encoder) + torch.matmul(x, self.decoder)
          """);
      return save(module, file);
    }
  }

  /** With a body of its own: parameters {@code w} and {@code b}, and what forward returns. */
  static Path returning(Path file, String expression) {
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module();
      parameter(module, "w", ScalarType.Float, 2, 4);
      parameter(module, "b", ScalarType.Float, 2);
      module.define("def forward(self, x: Tensor):\n    return " + expression + "\n");
      return save(module, file);
    }
  }

  /** A linear model of the sum of two inputs. */
  static Path ofTwoInputs(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module();
      parameter(module, "w", ScalarType.Float, 2, 4);
      module.define(
          "def forward(self, x: Tensor, z: Tensor):\n    return torch.linear(x + z, self.w)\n");
      return save(module, file);
    }
  }

  /** With a parameter of any type besides a linear model. */
  static Path besides(Path file, ScalarType type) {
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module();
      parameter(module, "w", ScalarType.Float, 2, 4);
      parameter(module, "other", type, 2);
      module.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.linear(x, self.w) * torch.abs(self.other)
          """);
      return save(module, file);
    }
  }

  /** Three layers in a row, of which the first two have one weight. */
  static Path tied(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule first = linear(4, 4);
      JitModule second = module();
      second.register_parameter("weight", parameter(first, "weight"), false);
      second.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.tanh(torch.linear(x, self.weight))
          """);
      JitModule whole = module();
      whole.register_module("first", first);
      whole.register_module("second", second);
      whole.register_module("last", linear(2, 4));
      whole.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return self.last.forward(self.second.forward(self.first.forward(x)))
          """);
      return save(whole, file);
    }
  }

  /** As torch.nn.Sequential of a linear layer, a batch norm and another linear layer. */
  static Path batchNormBetweenLayers(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule norm = module("__torch__.torch.nn.modules.batchnorm.BatchNorm1d");
      parameter(norm, "weight", ScalarType.Float, 6);
      parameter(norm, "bias", ScalarType.Float, 6);
      norm.register_buffer("running_mean", torch.zeros(new long[] {6}));
      norm.register_buffer("running_var", torch.ones(new long[] {6}));
      norm.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, self.training, 0.1, 1e-5, False)
          """);
      JitModule whole = module();
      whole.register_module("first", linear(6, 4));
      whole.register_module("norm", norm);
      whole.register_module("last", linear(2, 6));
      whole.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return self.last.forward(self.norm.forward(self.first.forward(x)))
          """);
      return save(whole, file);
    }
  }

  /** As torch.nn.Sequential of two pairs of linear layers with activations, of which one is cut. */
  static Path linearLayers(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule whole = module();
      whole.register_module("first", linear(4, 4));
      whole.register_module("norm", wholeSamples());
      whole.register_module("up", linear(9, 4));
      whole.register_module("down", linear(3, 9));
      whole.register_module("last", linear(2, 3));
      whole.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              x = self.norm.forward(self.first.forward(x))
              x = self.down.forward(torch.tanh(self.up.forward(x)))
              return self.last.forward(torch.softmax(x, 1))
          """);
      whole.to(ScalarType.Double);
      return save(whole, file);
    }
  }

  /** What needs the whole of a sample. */
  private static JitModule wholeSamples() {
    JitModule norm = module();
    norm.define("def forward(self, x: Tensor) -> Tensor:\n    return torch.softmax(x, 1)\n");
    return norm;
  }

  /** The same pair of layers, between two others that have one weight. */
  static Path tiedAroundAPair(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule first = linear(4, 4);
      JitModule again = module();
      again.register_parameter("weight", parameter(first, "weight"), false);
      again.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.softmax(torch.linear(x, self.weight), 1)
          """);
      JitModule whole = module();
      whole.register_module("first", first);
      whole.register_module("norm", wholeSamples());
      whole.register_module("up", linear(9, 4));
      whole.register_module("down", linear(4, 9));
      whole.register_module("again", again);
      whole.register_module("last", linear(2, 4));
      whole.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              x = self.norm.forward(self.first.forward(x))
              x = self.down.forward(torch.tanh(self.up.forward(x)))
              return self.last.forward(self.again.forward(x))
          """);
      whole.to(ScalarType.Double);
      return save(whole, file);
    }
  }

  /** The same pair of layers, with dropout before and behind it. */
  static Path dropoutAroundAPair(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule whole = module();
      whole.register_module("first", linear(6, 4));
      whole.register_module("up", linear(9, 6));
      whole.register_module("down", linear(3, 9));
      whole.register_module("last", linear(2, 3));
      whole.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              x = torch.dropout(torch.softmax(self.first.forward(x), 1), 0.3, self.training)
              x = self.down.forward(torch.tanh(self.up.forward(x)))
              return self.last.forward(torch.dropout(torch.softmax(x, 1), 0.3, self.training))
          """);
      whole.to(ScalarType.Double);
      return save(whole, file);
    }
  }

  /** Two linear layers, of which the second one's bias is a constant. */
  static Path constantBias(Path file) {
    try (PointerScope scope = new PointerScope()) {
      JitModule down = module();
      parameter(down, "weight", ScalarType.Float, 2, 6);
      down.register_attribute(
          "bias", OptionalType.ofTensor(), new IValue(fill(ScalarType.Float, 0.5, 2)));
      down.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.linear(x, self.weight, self.bias)
          """);
      JitModule whole = module();
      whole.register_module("up", linear(6, 4));
      whole.register_module("down", down);
      whole.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return self.down.forward(self.up.forward(x))
          """);
      return save(whole, file);
    }
  }

  /** A table of seven rows, which are chosen by the features, and a linear layer of a row. */
  static Path embedding(Path file) {
    return embedding(file, 6);
  }

  /** The same with indices up to another one. */
  static Path embedding(Path file, int highest) {
    try (PointerScope scope = new PointerScope()) {
      JitModule tokens = module();
      tokens.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.clamp(2 * x[:, 0] + HIGHEST / 2, 0, HIGHEST).to(4)  # torch.int64
          """
              .replace("HIGHEST", Integer.toString(highest)));
      JitModule table = module();
      Tensor rows = torch.arange(new Scalar(7 * 5)).to(ScalarType.Float).sin().view(7, 5);
      table.register_parameter("weight", rows.set_requires_grad(true), false);
      table.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.embedding(self.weight, x)
          """);
      JitModule whole = module();
      whole.register_module("tokens", tokens);
      whole.register_module("table", table);
      whole.register_module("down", linear(2, 5));
      whole.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return self.down.forward(self.table.forward(self.tokens.forward(x)))
          """);
      whole.to(ScalarType.Double);
      return save(whole, file);
    }
  }

  private static JitModule linear(long outputs, long inputs) {
    JitModule linear = module();
    Tensor angles = torch.arange(new Scalar(outputs * inputs)).to(ScalarType.Float);
    Tensor weight = angles.sin().mul(new Scalar(0.5)).view(outputs, inputs);
    linear.register_parameter("weight", weight.set_requires_grad(true), false);
    parameter(linear, "bias", ScalarType.Float, outputs);
    linear.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            return torch.linear(x, self.weight, self.bias)
        """);
    return linear;
  }

  private static Tensor parameter(JitModule module, String name) {
    return module.attr(name).toTensor();
  }

  private static JitModule module() {
    return module("__torch__.Users");
  }

  private static JitModule module(String name) {
    JitModule module = new JitModule(new QualifiedName(name));
    module.register_attribute("training", new Type.TypePtr(BoolType.get().get()), new IValue(true));
    return module;
  }

  private static void parameter(JitModule module, String name, ScalarType type, long... shape) {
    module.register_parameter(name, fill(type, 0.1, shape).set_requires_grad(true), false);
  }

  private static Tensor fill(ScalarType type, double value, long... shape) {
    Tensor tensor = torch.ones(shape);
    return tensor.mul(new Scalar(value)).to(type);
  }

  private static Path save(JitModule module, Path file) {
    module.save(file.toString());
    return file;
  }
}

package dev.lockstep.model;

import java.util.Random;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** Layers of networks for fields as TorchScript modules, and their initial parameters. */
final class Layers {
  /** Channels of a group of the group norm (Wu and He 2018), where there are enough. */
  private static final int GROUP = 4;

  private final FloatType type;
  private final Random random;

  Layers(FloatType type, long seed) {
    this.type = type;
    random = new Random(seed);
  }

  /**
   * A convolution of 3 × 3 that keeps the size: the last dimension, longitude, is a circle, or ends
   * in zeros; beyond the first and last latitude there are zeros.
   */
  JitModule conv3(int inputs, int outputs, boolean circular) {
    JitModule conv = Mlp.module("Conv3");
    Mlp.register(conv, "weight", Mlp.uniform(random, 9 * inputs, type, outputs, inputs, 3, 3));
    Mlp.register(conv, "bias", Mlp.uniform(random, 9 * inputs, type, outputs));
    conv.define(
        circular
            ? """
              def forward(self, x: Tensor) -> Tensor:
                  x = torch.cat([x[:, :, :, -1:], x, x[:, :, :, :1]], 3)
                  return torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 0])
              """
            : """
              def forward(self, x: Tensor) -> Tensor:
                  return torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1])
              """);
    return conv;
  }

  /** A linear map at each cell, all zero at first, so that the network begins at the mean. */
  JitModule head(int inputs, int outputs) {
    JitModule head = Mlp.module("Head");
    Mlp.register(head, "weight", zeros(outputs, inputs, 1, 1));
    Mlp.register(head, "bias", zeros(outputs));
    head.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            return torch.conv2d(x, self.weight, self.bias)
        """);
    return head;
  }

  /** A linear map with its own coefficients at each cell, all zero at first. */
  JitModule cellwise(int inputs, int outputs, long height, long width) {
    JitModule map = Mlp.module("Cellwise");
    Mlp.register(map, "weight", zeros(outputs, inputs, height, width));
    map.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            return (self.weight.unsqueeze(0) * x.unsqueeze(1)).sum(2)
        """);
    return map;
  }

  /** Two convolutions with group norm and activation, and dropout of whole channels. */
  JitModule block(int inputs, int outputs, ModelConfig config) {
    JitModule block = Mlp.module("Block");
    block.register_module("conv0", conv3(inputs, outputs, config.circular()));
    block.register_module("norm0", groupNorm(outputs));
    block.register_module("conv1", conv3(outputs, outputs, config.circular()));
    block.register_module("norm1", groupNorm(outputs));
    block.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            x = ACTIVATION(self.norm0.forward(self.conv0.forward(x)))
            x = ACTIVATION(self.norm1.forward(self.conv1.forward(x)))
            return torch.feature_dropout(x, DROPOUT, self.training)
        """
            .replace("ACTIVATION", config.activation().function())
            .replace("DROPOUT", Double.toString(config.dropout())));
    return block;
  }

  private JitModule groupNorm(int channels) {
    JitModule norm = Mlp.module("GroupNorm");
    Mlp.register(norm, "weight", zeros(channels).add_(new Scalar(1)));
    Mlp.register(norm, "bias", zeros(channels));
    int groups = channels % GROUP == 0 ? channels / GROUP : 1;
    norm.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            return torch.group_norm(x, GROUPS, self.weight, self.bias, 1e-05)
        """
            .replace("GROUPS", Integer.toString(groups)));
    return norm;
  }

  /** A linear layer, as {@code torch.nn.Linear}; all zero if it is to change nothing at first. */
  JitModule linear(int inputs, int outputs, boolean zero) {
    JitModule linear = Mlp.module("Linear");
    Tensor weight =
        zero ? zeros(outputs, inputs) : Mlp.uniform(random, inputs, type, outputs, inputs);
    Mlp.register(linear, "weight", weight);
    Mlp.register(
        linear, "bias", zero ? zeros(outputs) : Mlp.uniform(random, inputs, type, outputs));
    linear.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            return torch.linear(x, self.weight, self.bias)
        """);
    return linear;
  }

  private Tensor zeros(long... shape) {
    return torch.zeros(shape, new TensorOptions(type.scalarType()));
  }
}

package dev.lockstep.model;

import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;

/**
 * Networks for samples that are arrays, as TorchScript modules. The last layer begins as zero, so
 * that an untrained network predicts the mean, of anomalies the climatology.
 */
final class FieldNetwork {
  private FieldNetwork() {}

  /**
   * Builds one; the caller closes the module. The same seed gives the same bits everywhere.
   *
   * @param inputs the shape of one sample's features, channels first
   * @param outputs that of its targets
   * @throws ModelException if the shapes are not those that the type takes
   */
  static JitModule build(ModelConfig config, long[] inputs, long[] outputs, long seed) {
    requireShapes(config, inputs, outputs);
    Layers layers = new Layers(config.dtype(), seed);
    try (PointerScope scope = new PointerScope()) {
      JitModule module =
          switch (config.type()) {
            case UNET -> unet(config, layers, inputs, outputs);
            case RESNET -> blocks(config, layers, inputs, outputs, "ResNet", "y + ");
            case CONVNET -> blocks(config, layers, inputs, outputs, "ConvNet", "");
            case COLUMN -> column(config, layers, inputs, outputs);
            default -> throw new IllegalArgumentException(config.type() + " is not for fields");
          };
      module.retainReference();
      return module;
    }
  }

  private static void requireShapes(ModelConfig config, long[] inputs, long[] outputs) {
    int rank = config.type() == ModelConfig.Type.COLUMN ? 2 : 3;
    boolean sameGrid =
        inputs.length == rank
            && outputs.length == rank
            && Arrays.equals(inputs, 1, rank, outputs, 1, rank);
    if (!sameGrid) {
      throw new ModelException(
          "A model of type "
              + config.type().name().toLowerCase(Locale.ROOT)
              + " takes samples of "
              + (rank == 3 ? "[channel, latitude, longitude]" : "[channel, level]")
              + " and gives the same grid, but the data has features of "
              + Arrays.toString(inputs)
              + " and targets of "
              + Arrays.toString(outputs)
              + "; see data.samples and data.shape.");
    }
    long smallest = 1L << (config.levels() - 1);
    if (config.type() == ModelConfig.Type.UNET && (inputs[1] < smallest || inputs[2] < smallest)) {
      throw new ModelException(
          "A unet of "
              + config.levels()
              + " levels halves its grid "
              + (config.levels() - 1)
              + " times, which "
              + inputs[1]
              + " × "
              + inputs[2]
              + " cells do not bear; lower model.levels.");
    }
  }

  /**
   * O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image
   * segmentation", 2015, with circular longitude, group norm, means for the way down and repeated
   * cells for the way up.
   */
  private static JitModule unet(ModelConfig config, Layers layers, long[] inputs, long[] outputs) {
    JitModule module = Mlp.module("UNet");
    StringBuilder forward = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
    forward.append("    y = x\n");
    int channels = (int) inputs[0];
    int[] widths = new int[config.levels()];
    for (int level = 0; level < widths.length; level++) {
      // As in WeatherBench's and similar nets the width stops growing; the data is small.
      widths[level] = config.width() << Math.min(level, 2);
      module.register_module("down" + level, layers.block(channels, widths[level], config));
      channels = widths[level];
      if (level > 0) {
        forward.append("    y = torch.avg_pool2d(y, [2, 2])\n");
      }
      forward.append("    y = self.down" + level + ".forward(y)\n");
      if (level + 1 < widths.length) {
        forward.append("    skip" + level + " = y\n");
      }
    }
    for (int level = widths.length - 2; level >= 0; level--) {
      module.register_module(
          "up" + level, layers.block(channels + widths[level], widths[level], config));
      channels = widths[level];
      String skip = "skip" + level;
      forward.append(
          """
              y = torch.upsample_nearest2d(y, [SKIP.size(2), SKIP.size(3)])
              y = self.upLEVEL.forward(torch.cat([y, SKIP], 1))
          """
              .replace("SKIP", skip)
              .replace("LEVEL", Integer.toString(level)));
    }
    finish(config, layers, module, forward, channels, inputs, outputs);
    return module;
  }

  /**
   * Blocks of one size.
   *
   * @param added {@code "y + "} where each is added to what goes into it (He et al. 2016)
   */
  private static JitModule blocks(
      ModelConfig config, Layers layers, long[] inputs, long[] outputs, String name, String added) {
    JitModule module = Mlp.module(name);
    StringBuilder forward = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
    module.register_module(
        "stem", layers.conv3((int) inputs[0], config.width(), config.circular()));
    forward.append("    y = self.stem.forward(x)\n");
    for (int level = 0; level < config.levels(); level++) {
      module.register_module("block" + level, layers.block(config.width(), config.width(), config));
      forward.append("    y = " + added + "self.block" + level + ".forward(y)\n");
    }
    finish(config, layers, module, forward, config.width(), inputs, outputs);
    return module;
  }

  private static void finish(
      ModelConfig config,
      Layers layers,
      JitModule module,
      StringBuilder forward,
      int channels,
      long[] inputs,
      long[] outputs) {
    module.register_module("head", layers.head(channels, (int) outputs[0]));
    forward.append("    y = self.head.forward(y)\n");
    if (config.cellwise()) {
      module.register_module(
          "cellwise", layers.cellwise((int) inputs[0], (int) outputs[0], inputs[1], inputs[2]));
      forward.append("    y = y + self.cellwise.forward(x)\n");
    }
    module.define(forward.append("    return y\n").toString());
  }

  /** A residual mlp over all channels and levels of a column. */
  private static JitModule column(
      ModelConfig config, Layers layers, long[] inputs, long[] outputs) {
    int in = Math.toIntExact(inputs[0] * inputs[1]);
    int out = Math.toIntExact(outputs[0] * outputs[1]);
    JitModule module = Mlp.module("Column");
    module.register_module("stem", layers.linear(in, config.width(), false));
    StringBuilder forward = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
    forward.append("    y = self.stem.forward(x.flatten(1))\n");
    for (int level = 0; level < config.levels(); level++) {
      String block = "block" + level;
      module.register_module(block, layers.linear(config.width(), config.width(), false));
      forward.append(
          "    y = y + torch.dropout("
              + config.activation().function()
              + "(self."
              + block
              + ".forward(y)), "
              + config.dropout()
              + ", self.training)\n");
    }
    module.register_module("head", layers.linear(config.width(), out, true));
    forward.append(
        "    return self.head.forward(y).view(-1, " + outputs[0] + ", " + outputs[1] + ")\n");
    module.define(forward.toString());
    return module;
  }
}

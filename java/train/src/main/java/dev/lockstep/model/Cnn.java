package dev.lockstep.model;

import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;

/**
 * Convolutions without padding, each followed by its activation and the maximum over 2 × 2, then
 * fully connected layers, as a TorchScript module; initialised as {@code torch.nn.Conv2d} and
 * {@code torch.nn.Linear} are. A sample is a row of numbers, [channels · rows · columns].
 */
final class Cnn {
  private Cnn() {}

  /** Builds it; the caller closes the module. The same seed gives the same bits everywhere. */
  static JitModule build(ModelConfig config, int inputs, int outputs, long seed) {
    List<Integer> image = config.image();
    long values = image.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
    if (values != inputs) {
      throw new ModelException(
          "model.image "
              + image
              + " has "
              + values
              + " numbers, but a sample of data.features has "
              + inputs
              + ".");
    }
    Random random = new Random(seed);
    try (PointerScope scope = new PointerScope()) {
      JitModule module = Mlp.module("Cnn");
      StringBuilder forward = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
      forward.append("    x = x.view(IMAGE)\n".replace("IMAGE", shape(image)));
      int width = image.get(0);
      int rows = image.get(1);
      int columns = image.get(2);
      for (int i = 0; i < config.channels().size(); i++) {
        int next = config.channels().get(i);
        module.register_module("conv" + i, convolution(config, random, width, next));
        forward.append("    x = self.conv" + i + ".forward(x)\n");
        width = next;
        rows = (rows - config.kernel() + 1) / 2;
        columns = (columns - config.kernel() + 1) / 2;
        requireRest(config, i, rows, columns);
      }
      forward.append("    x = torch.flatten(x, 1)\n");
      int fanIn = width * rows * columns;
      for (int i = 0; i <= config.hidden().size(); i++) {
        boolean last = i == config.hidden().size();
        int fanOut = last ? outputs : config.hidden().get(i);
        module.register_module("layer" + i, Mlp.layer(config, random, fanIn, fanOut, last));
        forward.append("    x = self.layer" + i + ".forward(x)\n");
        fanIn = fanOut;
      }
      module.define(forward.append("    return x\n").toString());
      module.retainReference();
      return module;
    }
  }

  private static String shape(List<Integer> image) {
    return "[-1, " + image.get(0) + ", " + image.get(1) + ", " + image.get(2) + "]";
  }

  private static void requireRest(ModelConfig config, int convolution, int rows, int columns) {
    if (rows < 1 || columns < 1) {
      throw new ModelException(
          "Nothing is left of a cnn's image "
              + config.image()
              + " after convolution "
              + convolution
              + " of "
              + config.channels()
              + " with model.kernel "
              + config.kernel()
              + "; use fewer channels or a smaller kernel.");
    }
  }

  private static JitModule convolution(ModelConfig config, Random random, int inputs, int outputs) {
    int kernel = config.kernel();
    int fanIn = inputs * kernel * kernel;
    JitModule conv = Mlp.module("Conv");
    Mlp.register(
        conv,
        "weight",
        Mlp.uniform(random, fanIn, config.dtype(), outputs, inputs, kernel, kernel));
    Mlp.register(conv, "bias", Mlp.uniform(random, fanIn, config.dtype(), outputs));
    conv.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            return torch.max_pool2d(ACTIVATION(torch.conv2d(x, self.weight, self.bias)), [2, 2])
        """
            .replace("ACTIVATION", config.activation().function()));
    return conv;
  }
}

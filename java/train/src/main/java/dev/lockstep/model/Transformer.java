package dev.lockstep.model;

import dev.lockstep.model.BlockCode.SlicedParameter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * A transformer's encoder as a TorchScript module: tokens are embedded by a linear map and a vector
 * of their position, which is learned; then come layers of self-attention and feed-forward networks
 * (Vaswani et al. 2017, "Attention is all you need"), with layer norms in front of both (Xiong et
 * al. 2020) as {@code torch.nn.TransformerEncoderLayer(norm_first=True)}; then a layer norm and a
 * linear map of the tokens' mean, or of each token.
 *
 * <p>Embedding, halves of layers and head are submodules that follow each other, so that the model
 * can be cut between them.
 */
final class Transformer {
  private static final int FEED_FORWARD = 4;

  private final ModelConfig config;
  private final Random random;
  private final Map<String, BlockCode> blocks = new HashMap<>();

  private Transformer(ModelConfig config, long seed) {
    this.config = config;
    random = new Random(seed);
  }

  /**
   * Builds it; the caller closes the module. The same seed gives the same bits everywhere.
   *
   * @param inputs the shape of a sample's features: a row, or [channel, position]
   * @param outputs that of its targets
   * @throws ModelException if the shapes are not those that it takes
   */
  static BuiltModule build(ModelConfig config, long[] inputs, long[] outputs, long seed) {
    Tokens tokens = Tokens.of(config, inputs, outputs);
    try (PointerScope scope = new PointerScope()) {
      Transformer transformer = new Transformer(config, seed);
      JitModule module = transformer.module(tokens);
      module.retainReference();
      return new BuiltModule(module, transformer.blocks);
    }
  }

  /**
   * How a sample is cut.
   *
   * @param count of tokens
   * @param length numbers of each
   * @param outputs numbers predicted, for all tokens together or for each
   * @param each whether each token has its prediction
   */
  private record Tokens(int count, int length, int outputs, boolean each) {
    static Tokens of(ModelConfig config, long[] inputs, long[] outputs) {
      if (inputs.length == 2 && outputs.length == 2 && inputs[1] == outputs[1]) {
        if (config.tokens() != null && config.tokens() != inputs[1]) {
          throw new ModelException(
              "model.tokens is "
                  + config.tokens()
                  + ", but a sample has "
                  + inputs[1]
                  + " positions, each of which is a token; leave it out.");
        }
        return new Tokens((int) inputs[1], (int) inputs[0], (int) outputs[0], true);
      }
      if (inputs.length != 1 || outputs.length != 1) {
        throw new ModelException(
            "A transformer takes rows of numbers, or [channel, position] and gives the same"
                + " positions; see data.shape.");
      }
      int features = (int) inputs[0];
      int count = config.tokens() == null ? features : config.tokens();
      if (features % count != 0) {
        throw new ModelException(
            "model.tokens: "
                + count
                + " do not divide the "
                + features
                + " features of a sample into tokens of equal length.");
      }
      return new Tokens(count, features / count, (int) outputs[0], false);
    }
  }

  private JitModule module(Tokens tokens) {
    JitModule module = Mlp.module("Transformer");
    List<String> parts = new ArrayList<>();
    parts.add("embedding");
    module.register_module("embedding", embedding(tokens));
    for (int layer = 0; layer < config.levels(); layer++) {
      module.register_module("layer" + layer, layer());
      blocks.put("layer" + layer + ".attention", attentionCode());
      blocks.put("layer" + layer + ".feed_forward", feedForwardCode());
      parts.add("layer" + layer);
    }
    parts.add("head");
    module.register_module("head", head(tokens));
    module.define(inSequence(parts));
    return module;
  }

  private static String inSequence(List<String> parts) {
    StringBuilder forward = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
    parts.forEach(part -> forward.append("    x = self." + part + ".forward(x)\n"));
    return forward.append("    return x\n").toString();
  }

  private JitModule embedding(Tokens tokens) {
    JitModule embedding = Mlp.module("Embedding");
    linear(embedding, "", tokens.length(), config.width());
    Tensor position = normal(tokens.count(), config.width());
    Mlp.register(embedding, "position", position);
    embedding.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            x = CUT
            return DROPOUT(torch.linear(x, self.weight, self.bias) + self.position)
        """
            .replace(
                "CUT",
                tokens.each()
                    ? "x.transpose(1, 2)"
                    : "x.reshape(-1, " + tokens.count() + ", " + tokens.length() + ")")
            .replace("DROPOUT(", dropout())
            .replace("self.position)", "self.position" + dropoutEnd()));
    return embedding;
  }

  private JitModule layer() {
    JitModule layer = Mlp.module("EncoderLayer");
    layer.register_module("attention", attention());
    layer.register_module("feed_forward", feedForward());
    layer.define(inSequence(List.of("attention", "feed_forward")));
    return layer;
  }

  private JitModule attention() {
    int width = config.width();
    JitModule attention = Mlp.module("SelfAttention");
    norm(attention, width);
    // As torch.nn.MultiheadAttention: Glorot and Bengio 2010 over all three maps, no bias at first.
    double bound = Math.sqrt(6.0 / (width + 3 * width));
    Mlp.register(attention, "in_weight", scaled(bound, width, 3 * width, width));
    Mlp.register(attention, "in_bias", zeros(3 * width));
    Mlp.register(attention, "out_weight", Mlp.uniform(random, width, config.dtype(), width, width));
    Mlp.register(attention, "out_bias", zeros(width));
    attention.define(attentionCode().forward());
    return attention;
  }

  /** For any number of the heads, which have their inputs and outputs of their own. */
  private BlockCode attentionCode() {
    int length = config.width() / config.heads();
    return new BlockCode(
        normCode(),
        """
        n = y.size(0)
        t = y.size(1)
        y = torch.linear(y, self.in_weight, self.in_bias)
        width = y.size(2) // 3
        y = y.view(n, t, 3, width // LENGTH, LENGTH).permute([2, 0, 3, 1, 4])
        scores = torch.matmul(y[0] * SCALE, y[1].transpose(2, 3))
        weights = DROPOUT(torch.softmax(scores, 3)END
        y = torch.matmul(weights, y[2]).transpose(1, 2).reshape(n, t, width)
        y = torch.linear(y, self.out_weight, self.out_bias)
        """
            .replace("LENGTH", Integer.toString(length))
            .replace("SCALE", Double.toString(1 / Math.sqrt((double) length)))
            .replace("DROPOUT(", dropout())
            .replace("END", dropoutEnd()),
        "x + " + dropout() + "y" + dropoutEnd(),
        List.of(
            new SlicedParameter("in_weight", 0, 3, length),
            new SlicedParameter("in_bias", 0, 3, length),
            new SlicedParameter("out_weight", 1, 1, length)),
        "out_bias");
  }

  private String normCode() {
    return "y = torch.layer_norm(x, [WIDTH], self.norm_weight, self.norm_bias, 1e-05)"
        .replace("WIDTH", Integer.toString(config.width()));
  }

  private JitModule feedForward() {
    int width = config.width();
    JitModule network = Mlp.module("FeedForward");
    norm(network, width);
    linear(network, "in_", width, FEED_FORWARD * width);
    linear(network, "out_", FEED_FORWARD * width, width);
    network.define(feedForwardCode().forward());
    return network;
  }

  private BlockCode feedForwardCode() {
    return new BlockCode(
        normCode(),
        """
        y = DROPOUT(ACTIVATION(torch.linear(y, self.in_weight, self.in_bias))END
        y = torch.linear(y, self.out_weight, self.out_bias)
        """
            .replace("ACTIVATION", config.activation().function())
            .replace("DROPOUT(", dropout())
            .replace("END", dropoutEnd()),
        "x + " + dropout() + "y" + dropoutEnd(),
        List.of(
            new SlicedParameter("in_weight", 0, 1, 1),
            new SlicedParameter("in_bias", 0, 1, 1),
            new SlicedParameter("out_weight", 1, 1, 1)),
        "out_bias");
  }

  private JitModule head(Tokens tokens) {
    JitModule head = Mlp.module("TokenHead");
    norm(head, config.width());
    linear(head, "", config.width(), tokens.outputs());
    head.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            y = torch.layer_norm(x, [WIDTH], self.norm_weight, self.norm_bias, 1e-05)
            RESULT
        """
            .replace("WIDTH", Integer.toString(config.width()))
            .replace(
                "RESULT",
                tokens.each()
                    ? "return torch.linear(y, self.weight, self.bias).transpose(1, 2)"
                    : "return torch.linear(y.mean(1), self.weight, self.bias)"));
    return head;
  }

  private String dropout() {
    return config.dropout() == 0 ? "(" : "torch.dropout(";
  }

  private String dropoutEnd() {
    return config.dropout() == 0 ? ")" : ", " + config.dropout() + ", self.training)";
  }

  private void linear(JitModule module, String prefix, int inputs, int outputs) {
    Mlp.register(
        module, prefix + "weight", Mlp.uniform(random, inputs, config.dtype(), outputs, inputs));
    Mlp.register(module, prefix + "bias", Mlp.uniform(random, inputs, config.dtype(), outputs));
  }

  private void norm(JitModule module, int width) {
    Mlp.register(module, "norm_weight", zeros(width).add_(new Scalar(1)));
    Mlp.register(module, "norm_bias", zeros(width));
  }

  /** Uniform in ±bound. */
  private Tensor scaled(double bound, int fanIn, long... shape) {
    return Mlp.uniform(random, fanIn, config.dtype(), shape)
        .mul_(new Scalar(bound * Math.sqrt(fanIn)));
  }

  /** Normal with the standard deviation 0.02, as BERT and GPT begin their positions. */
  private Tensor normal(int rows, int columns) {
    double[] values = new double[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = 0.02 * random.nextGaussian();
    }
    return Mlp.tensor(values, rows, columns).to(config.dtype().scalarType());
  }

  private Tensor zeros(long... shape) {
    return torch.zeros(shape, new TensorOptions(config.dtype().scalarType()));
  }
}

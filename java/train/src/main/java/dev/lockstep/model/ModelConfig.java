package dev.lockstep.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code model} section of a configuration.
 *
 * @param type what kind of model
 * @param hidden for {@link Type#MLP}: the width of each hidden layer; empty for a linear model. For
 *     {@link Type#CNN}: of those after the convolutions, {@code [128]} if left out
 * @param activation what follows each hidden layer; of networks for fields {@code gelu} if left out
 * @param file for {@link Type#FILE}: a TorchScript file with trainable parameters
 * @param dtype for {@link Type#MLP}: the type of the parameters; a file has its own
 * @param batchNorm for {@link Type#FILE}: which samples a batch norm normalises by in training
 * @param width of networks for fields: channels of the first level, or units of a column's layers;
 *     of a {@link Type#TRANSFORMER}: numbers of a token, whose feed-forward layers are four times
 *     as wide
 * @param levels of {@link Type#UNET}: how many grids, each half as fine as the one before; of a
 *     {@link Type#TRANSFORMER}: encoder layers; of a {@link Type#CONVNET}: blocks of two
 *     convolutions; of the others: residual blocks
 * @param dropout of networks for fields: the share of channels left out in training; of a {@link
 *     Type#TRANSFORMER}: of numbers, as {@code torch.nn.TransformerEncoderLayer} has it
 * @param circular of networks for fields: whether the last dimension, longitude, is a circle
 * @param cellwise of {@link Type#UNET}, {@link Type#RESNET} and {@link Type#CONVNET}: whether a
 *     linear map with its own coefficients at each cell is added, as an autoregression by cell is
 *     one
 * @param image for {@link Type#CNN}: how a sample's row of numbers is an image, as in {@code [1,
 *     28, 28]} for channels, rows and columns
 * @param channels for {@link Type#CNN}: of each convolution, which a maximum over 2 × 2 follows
 * @param kernel for {@link Type#CNN}: the convolutions' width and height, from 1 on
 * @param tokens for {@link Type#TRANSFORMER}: into how many tokens of equal length a row of
 *     features is cut; null for one of each feature. A sample of [channel, position] has a token at
 *     each position
 * @param heads for {@link Type#TRANSFORMER}: attention heads, which divide {@code width}
 * @param recompute stages (an mlp's {@code layer0}, a transformer's {@code layer1.attention}, or
 *     {@code layer1} for both of its halves) that keep only their input for the backward pass and
 *     are computed again there; {@code all} for all stages. Less memory, one more forward pass, the
 *     same bits
 */
public record ModelConfig(
    Type type,
    List<Integer> hidden,
    Activation activation,
    @Nullable String file,
    FloatType dtype,
    BatchNorm batchNorm,
    int width,
    int levels,
    double dropout,
    boolean circular,
    boolean cellwise,
    List<Integer> image,
    List<Integer> channels,
    int kernel,
    @Nullable Integer tokens,
    int heads,
    List<String> recompute) {

  /** Whose samples a batch norm uses. */
  public enum BatchNorm {
    /** Each rank its own share of the batch; running statistics are averaged. */
    @JsonProperty("per_rank")
    PER_RANK,
    /** All ranks the whole batch, as one process does. */
    @JsonProperty("synchronized")
    SYNCHRONIZED
  }

  /** Kinds of models. */
  public enum Type {
    /** Fully connected layers. */
    @JsonProperty("mlp")
    MLP,
    /** Convolutions over an image that a row of numbers holds, then fully connected layers. */
    @JsonProperty("cnn")
    CNN,
    /** A transformer's encoder (Vaswani et al. 2017) over tokens that a sample is cut into. */
    @JsonProperty("transformer")
    TRANSFORMER,
    /** What {@code torch.jit.script} or {@code torch.jit.trace} saved. */
    @JsonProperty("file")
    FILE,
    /** For samples of [channel, latitude, longitude]: a U-Net (Ronneberger et al. 2015). */
    @JsonProperty("unet")
    UNET,
    /** For the same: residual blocks of convolutions on the full grid. */
    @JsonProperty("resnet")
    RESNET,
    /** For samples of [channel, level]: a residual mlp over the whole column. */
    @JsonProperty("column")
    COLUMN,
    /** For samples of [channel, latitude, longitude]: convolutions one behind the other. */
    @JsonProperty("convnet")
    CONVNET;

    /** Whether it is a network for fields. */
    public boolean ofFields() {
      return compareTo(FILE) > 0;
    }
  }

  /** Functions between layers. */
  public enum Activation {
    @JsonProperty("relu")
    RELU("torch.relu"),
    @JsonProperty("tanh")
    TANH("torch.tanh"),
    @JsonProperty("gelu")
    GELU("torch.gelu"),
    @JsonProperty("silu")
    SILU("torch.silu");

    private final String function;

    Activation(String function) {
      this.function = function;
    }

    /** Its name in TorchScript. */
    String function() {
      return function;
    }
  }

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public ModelConfig {
    hidden = List.copyOf(hidden);
    image = List.copyOf(image);
    channels = List.copyOf(channels);
    recompute = List.copyOf(recompute);
    checkImages(type, image, channels, kernel);
    checkTransformer(type, width, tokens, heads);
    for (int units : hidden) {
      if (units < 1) {
        throw new ConfigKeyException("hidden", "a layer needs at least 1 unit, not " + units + ".");
      }
    }
    if (type == Type.FILE && (file == null || file.isBlank())) {
      throw new ConfigKeyException(
          "file", "a model of type file needs the path of a TorchScript file.");
    }
    if (type != Type.FILE && file != null) {
      throw new ConfigKeyException("file", "only a model of type file has one; set type: file.");
    }
    if (type != Type.FILE && dtype != FloatType.FLOAT32 && dtype != FloatType.FLOAT64) {
      throw new ConfigKeyException(
          "dtype", "an mlp is float32 or float64; half precision is for files as saved.");
    }
    if (width < 1 || width > 1 << 16) {
      throw new ConfigKeyException("width", "must be from 1 to 65536, not " + width + ".");
    }
    if (levels < 1 || levels > 64) {
      throw new ConfigKeyException("levels", "must be from 1 to 64, not " + levels + ".");
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new ConfigKeyException(
          "dropout", "must be at least 0 and below 1, not " + dropout + ".");
    }
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static ModelConfig of(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("hidden") @Nullable List<Integer> hidden,
      @JsonProperty("activation") @Nullable Activation activation,
      @JsonProperty("file") @Nullable String file,
      @JsonProperty("dtype") @Nullable FloatType dtype,
      @JsonProperty("batch_norm") @Nullable BatchNorm batchNorm,
      @JsonProperty("width") @Nullable Integer width,
      @JsonProperty("levels") @Nullable Integer levels,
      @JsonProperty("dropout") @Nullable Double dropout,
      @JsonProperty("circular") @Nullable Boolean circular,
      @JsonProperty("cellwise") @Nullable Boolean cellwise,
      @JsonProperty("image") @Nullable List<Integer> image,
      @JsonProperty("channels") @Nullable List<Integer> channels,
      @JsonProperty("kernel") @Nullable Integer kernel,
      @JsonProperty("tokens") @Nullable Integer tokens,
      @JsonProperty("heads") @Nullable Integer heads,
      @JsonProperty("recompute") @Nullable List<String> recompute) {
    boolean transformer = type == Type.TRANSFORMER;
    boolean fields = type != null && type.ofFields();
    return new ModelConfig(
        type == null ? Type.MLP : type,
        hidden == null ? (type == Type.CNN ? List.of(128) : List.of(128, 128)) : hidden,
        activation == null
            ? (fields || transformer ? Activation.GELU : Activation.RELU)
            : activation,
        file,
        dtype == null ? FloatType.FLOAT32 : dtype,
        batchNorm == null ? BatchNorm.PER_RANK : batchNorm,
        width == null ? (type == Type.COLUMN ? 256 : transformer ? 64 : 16) : width,
        levels == null ? (type == Type.COLUMN ? 3 : transformer ? 2 : 4) : levels,
        dropout == null ? 0 : dropout,
        circular == null || circular,
        cellwise != null && cellwise,
        image == null ? List.of() : image,
        channels == null ? List.of(16, 32) : channels,
        kernel == null ? 5 : kernel,
        tokens,
        heads == null ? 4 : heads,
        recompute == null ? List.of() : recompute);
  }

  private static void checkTransformer(Type type, int width, @Nullable Integer tokens, int heads) {
    if (heads < 1 || (type == Type.TRANSFORMER && width % heads != 0)) {
      throw new ConfigKeyException(
          "heads", "must divide width, " + width + ", which " + heads + " does not.");
    }
    if (tokens != null && tokens < 1) {
      throw new ConfigKeyException("tokens", "must be at least 1, not " + tokens + ".");
    }
    if (tokens != null && type != Type.TRANSFORMER) {
      throw new ConfigKeyException("tokens", "only a transformer has them; set type: transformer.");
    }
  }

  private static void checkImages(
      Type type, List<Integer> image, List<Integer> channels, int kernel) {
    if (type == Type.CNN && image.size() != 3) {
      throw new ConfigKeyException(
          "image", "a cnn needs the image's [channels, rows, columns], as in [1, 28, 28].");
    }
    if (type != Type.CNN && !image.isEmpty()) {
      throw new ConfigKeyException("image", "only a model of type cnn has one; set type: cnn.");
    }
    if (image.stream().anyMatch(length -> length < 1)
        || channels.stream().anyMatch(width -> width < 1)) {
      throw new ConfigKeyException(
          "image", "image and channels have numbers from 1 on, not " + image + " and " + channels);
    }
    if (kernel < 1) {
      throw new ConfigKeyException("kernel", "must be at least 1, not " + kernel + ".");
    }
  }

  /** Without what only transformers have. */
  public static ModelConfig of(
      @Nullable Type type,
      @Nullable List<Integer> hidden,
      @Nullable Activation activation,
      @Nullable String file,
      @Nullable FloatType dtype,
      @Nullable BatchNorm batchNorm,
      @Nullable Integer width,
      @Nullable Integer levels,
      @Nullable Double dropout,
      @Nullable Boolean circular,
      @Nullable Boolean cellwise,
      @Nullable List<Integer> image,
      @Nullable List<Integer> channels,
      @Nullable Integer kernel) {
    return of(
        type,
        hidden,
        activation,
        file,
        dtype,
        batchNorm,
        width,
        levels,
        dropout,
        circular,
        cellwise,
        image,
        channels,
        kernel,
        null,
        null,
        null);
  }

  /** Of points or a file. */
  public static ModelConfig of(
      @Nullable Type type,
      @Nullable List<Integer> hidden,
      @Nullable Activation activation,
      @Nullable String file,
      @Nullable FloatType dtype,
      @Nullable BatchNorm batchNorm) {
    return of(
        type,
        hidden,
        activation,
        file,
        dtype,
        batchNorm,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }

  /** Like the other, with batch norms per rank. */
  public static ModelConfig of(
      @Nullable Type type,
      @Nullable List<Integer> hidden,
      @Nullable Activation activation,
      @Nullable String file,
      @Nullable FloatType dtype) {
    return of(type, hidden, activation, file, dtype, null);
  }

  /** An mlp with two hidden layers of 128 units. */
  public static ModelConfig defaults() {
    return of(null, null, null, null, null);
  }
}

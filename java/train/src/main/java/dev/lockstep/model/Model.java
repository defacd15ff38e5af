package dev.lockstep.model;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A TorchScript module with trainable parameters. It sees normalised numbers; {@link PhysicalModel}
 * puts a normaliser around it.
 *
 * <p>The model owns its module and tensors until {@link #close}. One thread at a time.
 */
public final class Model implements AutoCloseable {
  /** Calls of the operator, and of the function around it that scripted modules use. */
  private static final Pattern BATCH_NORM =
      Pattern.compile("aten::batch_norm\\(|prim::Constant\\[name=\"batch_norm\"]");

  /**
   * Operators that draw random numbers; a name like one of them costs nothing but a little time.
   */
  private static final Pattern RANDOM =
      Pattern.compile(
          "dropout|bernoulli|rand|normal_|::normal|uniform|multinomial|poisson|exponential_|rrelu"
              + "|scaled_dot_product|gumbel|cauchy_|geometric_|native_multi_head");

  private static final OptionalLong NONE = OptionalLong.empty();

  private final JitModule module;
  private final String description;
  private final ModelTensors tensors;
  private final List<Stage> stages = new ArrayList<>();
  private final Map<Stage, SynchronizedBatchNorm.Layer> batchNorms = new IdentityHashMap<>();
  private final Set<Stage> recomputed = Collections.newSetFromMap(new IdentityHashMap<>());
  private @Nullable Communicator ranks;
  private @Nullable Boolean random;
  private boolean closed;

  private Model(JitModule module, String description) {
    // Plain execution is as fast as eager PyTorch; the optimising executor was slower.
    torch.setGraphExecutorOptimize(false);
    this.module = module;
    this.description = description;
    try {
      tensors = new ModelTensors(module, description);
    } catch (ModelException e) {
      module.close();
      throw e;
    }
    if (tensors.parameters().isEmpty()) {
      close();
      throw new ModelException(
          "There is nothing to train in "
              + description
              + ": no parameter requires a gradient. A frozen model has none; save it with"
              + " torch.jit.script or torch.jit.trace before torch.jit.freeze.");
    }
  }

  /**
   * Fully connected layers.
   *
   * @param config of type {@link ModelConfig.Type#MLP}
   * @param inputs features of a sample
   * @param outputs numbers that it predicts for a sample
   * @param seed of the initial parameters; the same bits everywhere
   */
  public static Model mlp(ModelConfig config, int inputs, int outputs, long seed) {
    requireNonNull(config, "config");
    return new Model(Mlp.build(config, inputs, outputs, seed), "the mlp");
  }

  /**
   * Convolutions over images, then fully connected layers.
   *
   * @param config of type {@link ModelConfig.Type#CNN}
   * @param inputs numbers of a sample, as many as the image has
   * @param outputs numbers that it predicts for a sample
   * @param seed of the initial parameters; the same bits everywhere
   * @throws ModelException if a sample is no such image, or the convolutions leave nothing of it
   */
  public static Model cnn(ModelConfig config, int inputs, int outputs, long seed) {
    requireNonNull(config, "config");
    return new Model(Cnn.build(config, inputs, outputs, seed), "the cnn");
  }

  /**
   * A transformer's encoder.
   *
   * @param config of type {@link ModelConfig.Type#TRANSFORMER}
   * @param inputs the shape of one sample's features: a row, or [channel, position]
   * @param outputs that of its targets
   * @param seed of the initial parameters; the same bits everywhere
   * @throws ModelException if the shapes are not those that it takes
   */
  public static Model transformer(ModelConfig config, long[] inputs, long[] outputs, long seed) {
    requireNonNull(config, "config");
    requireNonNull(inputs, "inputs");
    requireNonNull(outputs, "outputs");
    return new Model(Transformer.build(config, inputs, outputs, seed), "the transformer");
  }

  /**
   * A network for fields.
   *
   * @param config of a type that {@link ModelConfig.Type#ofFields}
   * @param inputs the shape of one sample's features, channels first
   * @param outputs that of its targets
   * @param seed of the initial parameters; the same bits everywhere
   * @throws ModelException if the shapes are not those that the type takes
   */
  public static Model fields(ModelConfig config, long[] inputs, long[] outputs, long seed) {
    requireNonNull(config, "config");
    requireNonNull(inputs, "inputs");
    requireNonNull(outputs, "outputs");
    String name = "the " + config.type().name().toLowerCase(Locale.ROOT);
    return new Model(FieldNetwork.build(config, inputs, outputs, seed), name);
  }

  /**
   * What {@code torch.jit.script} or {@code torch.jit.trace} saved, or the network inside a file
   * that {@link PhysicalModel#save} wrote.
   *
   * @throws ModelException if the file cannot be read or has no trainable parameters
   */
  public static Model load(Path file) {
    requireNonNull(file, "file");
    return new Model(PhysicalModel.networkOf(TorchScriptFile.load(file)), file.toString());
  }

  /**
   * Applies the model to a batch.
   *
   * @param inputs shape [samples, …]; for an mlp [samples, features]
   * @return its prediction, [samples, …]; belongs to the current {@link PointerScope}
   * @throws ModelException if the model refuses the inputs
   */
  public Tensor forward(Tensor inputs) {
    return TorchScriptFile.forward(module, inputs, description);
  }

  /**
   * Applies the model to a batch, so that gradients can flow back.
   *
   * @param inputs as for {@link #forward}
   * @param seeds of random numbers in each stage, where the model has any
   * @return the pass; belongs to the current {@link PointerScope}
   * @throws ModelException if the model refuses the inputs
   */
  public TrainingPass trainingPass(Tensor inputs, StageSeeds seeds) {
    if (batchNorms.isEmpty() && recomputed.isEmpty() && !isRandom()) {
      return TrainingPass.whole(description, forward(inputs));
    }
    return trainingPass(0, stages().size(), inputs, seeds);
  }

  /**
   * Applies some of the stages, so that gradients can flow back, also to their inputs.
   *
   * @param from the first stage, by its index
   * @param to behind the last one
   * @param inputs what the stage before gave, as a leaf that requires a gradient; or the model's
   * @return the pass; belongs to the current {@link PointerScope}
   * @throws ModelException if a stage refuses its inputs
   */
  public TrainingPass trainingPass(int from, int to, Tensor inputs, StageSeeds seeds) {
    return TrainingPass.cut(description, parts(from, to, seeds, PassListener.NONE), inputs);
  }

  /**
   * As {@link #trainingPass(Tensor, StageSeeds)}, with the same gradients, bit for bit.
   *
   * @param listener hears of each stage
   */
  public TrainingPass trainingPass(Tensor inputs, StageSeeds seeds, PassListener listener) {
    if (listener == PassListener.NONE) {
      return trainingPass(inputs, seeds);
    }
    if (listener.cuts().isEmpty()) {
      return TrainingPass.cut(description, parts(0, stages().size(), seeds, listener), inputs);
    }
    List<TrainingPass.Part> groups = new ArrayList<>();
    int from = 0;
    for (int group = 0; group <= listener.cuts().size(); group++) {
      int to = group < listener.cuts().size() ? listener.cuts().get(group) : stages().size();
      groups.add(new TrainingPass.Group(group, parts(from, to, seeds, listener), listener));
      from = to;
    }
    return TrainingPass.cut(description, groups, inputs);
  }

  /** Some of the stages, cut where their backward passes are not libtorch's alone. */
  private List<TrainingPass.Part> parts(int from, int to, StageSeeds seeds, PassListener listener) {
    List<TrainingPass.Part> parts = new ArrayList<>();
    List<SeededStage> between = new ArrayList<>();
    for (int i = from; i < to; i++) {
      int index = i;
      Stage stage = stages().get(i);
      SeededStage seeded =
          new SeededStage(
              stage,
              isRandom() ? OptionalLong.of(seeds.of(i)) : NONE,
              () -> listener.forwardBegins(index));
      SynchronizedBatchNorm.Layer layer = batchNorms.get(stage);
      if (layer == null && !recomputed.contains(stage)) {
        between.add(seeded);
        continue;
      }
      addStages(parts, between);
      if (layer == null) {
        parts.add(new RecomputedStage(seeded));
      } else {
        parts.add(new SynchronizedBatchNorm(layer, Objects.requireNonNull(ranks), seeded.begins()));
      }
    }
    addStages(parts, between);
    return parts;
  }

  private static void addStages(List<TrainingPass.Part> parts, List<SeededStage> between) {
    if (!between.isEmpty()) {
      parts.add(new TrainingPass.Stages(between));
      between.clear();
    }
  }

  /**
   * Applies the model to a batch in parts, so that each part's gradients can be computed apart.
   *
   * @param cuts the indices of the {@link #stages} before which to cut, in ascending order
   * @return the pass; belongs to the current {@link PointerScope}
   * @throws IndexOutOfBoundsException if there are no stages on both sides of a cut
   */
  public TrainingPass cutPass(Tensor inputs, int... cuts) {
    List<SeededStage> all =
        stages().stream().map(stage -> new SeededStage(stage, NONE, () -> {})).toList();
    List<TrainingPass.Part> parts = new ArrayList<>();
    int from = 0;
    for (int cut : cuts) {
      parts.add(new TrainingPass.Stages(all.subList(from, cut)));
      from = cut;
    }
    parts.add(new TrainingPass.Stages(all.subList(from, all.size())));
    return TrainingPass.cut(description, parts, inputs);
  }

  /**
   * Has stages keep their inputs alone for the backward pass, which computes them again: less
   * memory, one more forward pass, the same bits.
   *
   * @param names of {@link #stages}, or of modules that consist of some; {@code all} for all of
   *     them
   * @throws ModelException if there is no such stage
   */
  public void recompute(List<String> names) {
    for (String name : names) {
      List<Stage> chosen =
          stages().stream().filter(stage -> name.equals("all") || stage.isIn(name)).toList();
      if (chosen.isEmpty()) {
        throw new ModelException(
            "model.recompute: "
                + description
                + " has no stage "
                + name
                + "; it has "
                + stageNames()
                + ".");
      }
      recomputed.addAll(chosen);
    }
  }

  /** The names of all stages, in their order. */
  public List<String> stageNames() {
    return stages().stream().map(Stage::name).toList();
  }

  /** Whether a pass in training may draw random numbers. */
  public boolean isRandom() {
    if (random == null) {
      random = RANDOM.matcher(code()).find();
    }
    return random;
  }

  /**
   * The parts that follow each other, of which the forward pass consists: the layers of an mlp, the
   * submodules of a {@code torch.nn.Sequential}, or others around whose calls only one tensor is
   * needed, and the code between them. A model that is no such sequence is one stage.
   */
  public List<Stage> stages() {
    if (stages.isEmpty()) {
      stages.addAll(Stage.of(module, description));
    }
    return List.copyOf(stages);
  }

  /** Whether a sample's result in training depends on the others of its batch by a batch norm. */
  public boolean hasBatchNorm() {
    return batchNormCalls() > 0;
  }

  /** Whether {@link #trainingPass} is collective, so that a rank without samples takes part. */
  public boolean isCollective() {
    return !batchNorms.isEmpty();
  }

  private int batchNormCalls() {
    try (PointerScope scope = new PointerScope()) {
      String text = module.dump_to_str(true, false, false).getString();
      return (int) BATCH_NORM.matcher(text).results().count();
    }
  }

  /**
   * From now on batch norms normalise, in training, by the joined batch of all ranks: {@link
   * #trainingPass} and its backward pass are then collective, and needed also from a rank that has
   * no samples.
   *
   * @throws ModelException if one is not a stage of its own, so that the pass cannot be cut there
   */
  public void synchronizeBatchNorm(Communicator communicator) {
    ranks = communicator;
    for (Stage stage : stages()) {
      if (SynchronizedBatchNorm.is(stage)) {
        batchNorms.put(stage, SynchronizedBatchNorm.layer(stage));
      }
    }
    if (batchNorms.size() != batchNormCalls()) {
      throw new ModelException(
          "batch_norm: synchronized needs every batch norm in a sequence of layers without by-passes,"
              + " as in torch.nn.Sequential, and "
              + description
              + " has "
              + batchNormCalls()
              + " of which "
              + batchNorms.size()
              + " are; build it so, or set batch_norm: per_rank.");
    }
  }

  /** Whether the forward pass is that of training (batch statistics, dropout). */
  public void setTraining(boolean training) {
    module.train(training);
    stages.forEach(stage -> stage.module().train(training));
  }

  /** The trainable parameters, each once, in the module's order. */
  public List<ModelTensor> parameters() {
    return tensors.parameters();
  }

  /**
   * All other tensors, each once: batch statistics, constants, and parameters that are not trained.
   */
  public List<ModelTensor> buffers() {
    return tensors.buffers();
  }

  /** The type of the first parameter, and so of the inputs. */
  public FloatType type() {
    return FloatType.of(parameters().get(0).tensor().scalar_type());
  }

  /**
   * The code of the module and of all in it, without the values of its tensors: equal for equal
   * structures, whichever file they come from and however often it was loaded.
   */
  public String code() {
    String dump;
    try (PointerScope scope = new PointerScope()) {
      dump = module.dump_to_str(true, false, false).getString(StandardCharsets.UTF_8);
    }
    // Without what libtorch adds to the names of classes that it loads more than once, addresses,
    // places in source files, and the mode; values are numbered as they come.
    String plain =
        dump.replaceAll("___torch_mangle_\\d+\\.", "")
            .replaceAll(" object at 0x[0-9a-f]+", "")
            .replaceAll("(?m) # \\S+:\\d+:\\d+$", "")
            .replaceAll("(?m)^ *training = \\w+$", "");
    Map<String, String> numbers = new HashMap<>();
    return Pattern.compile("%[\\w.]+")
        .matcher(plain)
        .replaceAll(
            value -> numbers.computeIfAbsent(value.group(), unseen -> "%" + numbers.size()));
  }

  /** Numbers that training changes. */
  public long parameterCount() {
    return parameters().stream().mapToLong(parameter -> parameter.tensor().numel()).sum();
  }

  JitModule module() {
    return module;
  }

  @Override
  public String toString() {
    return description;
  }

  /** Frees the module and its tensors. Closing twice is harmless. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    tensors.close();
    stages.forEach(Stage::close);
    module.close();
  }
}

package dev.lockstep.train.strategy;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.PassListener;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.PrecisionConfig;
import dev.lockstep.train.PrecisionConfig.Type;
import dev.lockstep.train.engine.BatchReader;
import dev.lockstep.train.engine.Compute;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.MixedPrecision;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Precision;
import dev.lockstep.train.engine.Replica;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.engine.SampleReader;
import dev.lockstep.train.engine.Update;
import dev.lockstep.train.engine.Worker;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.GradientMemory;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.ModelMemory;
import dev.lockstep.train.memory.OwnedParts;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a strategy composes a rank's role from. It owns the parts and closes them at the end of the
 * run, or when composing fails, last made first. One thread.
 */
public final class RoleContext implements AutoCloseable {
  private final Communicator communicator;
  private final Model model;
  private final OptimizerConfig optimizer;
  private final Loss loss;
  private final SampleReader reader;
  private final long seed;
  private final @Nullable Double clipNorm;
  private final PrecisionConfig precision;
  private final Type computedIn;
  private boolean precisionIsUsed;
  private boolean reducesExactly;
  private boolean measuresParts;
  private final OwnedParts owned = new OwnedParts();
  private final Mesh mesh;
  private final long[] featureShape;
  private final int pieceSamples;
  private final int pieces;
  private List<ModelMemory> modelMemory = List.of();

  /**
   * Names what a role is made of, where every rank has the whole model; owns none of these.
   *
   * @param reader gives the samples of each piece
   * @param seed of random numbers within the model
   * @param clipNorm gradients of a larger 2-norm are scaled down to it; null for no clipping
   */
  public RoleContext(
      Communicator communicator,
      Model model,
      OptimizerConfig optimizer,
      Loss loss,
      SampleReader reader,
      long seed,
      @Nullable Double clipNorm) {
    this(
        Mesh.form(communicator, MeshConfig.defaults(), 1),
        model,
        optimizer,
        loss,
        reader,
        seed,
        clipNorm,
        PrecisionConfig.float32(),
        Type.FLOAT32,
        new long[0],
        1,
        1);
    own(mesh);
  }

  /**
   * As the other, on a mesh.
   *
   * @param precision what the run was told
   * @param computedIn the type that this means, also where it was to be chosen
   * @param featureShape of one sample
   * @param pieceSamples samples of a piece, at most
   * @param pieces into how many pieces a rank's part of a batch is cut, at most
   */
  public RoleContext(
      Mesh mesh,
      Model model,
      OptimizerConfig optimizer,
      Loss loss,
      SampleReader reader,
      long seed,
      @Nullable Double clipNorm,
      PrecisionConfig precision,
      Type computedIn,
      long[] featureShape,
      int pieceSamples,
      int pieces) {
    this.precision = precision;
    this.computedIn = computedIn;
    this.mesh = mesh;
    this.featureShape = featureShape.clone();
    this.pieceSamples = pieceSamples;
    this.pieces = pieces;
    communicator = mesh.world();
    this.model = model;
    this.optimizer = optimizer;
    this.loss = loss;
    this.reader = reader;
    this.seed = seed;
    this.clipNorm = clipNorm;
  }

  /** The ranks. */
  public Communicator communicator() {
    return communicator;
  }

  /** How the ranks lie where the model is cut. */
  public Mesh mesh() {
    return mesh;
  }

  public Model model() {
    return model;
  }

  /** The shape of as many samples as a piece has at most; the model takes them. */
  public long[] pieceShape() {
    return BatchReader.shape(pieceSamples, featureShape);
  }

  /** Into how many pieces a rank's part of a batch is cut, at most. */
  int pieces() {
    return pieces;
  }

  /** Gives the samples of each piece. */
  public SampleReader reader() {
    return reader;
  }

  public Loss loss() {
    return loss;
  }

  /** Of random numbers within the model. */
  public long seed() {
    return seed;
  }

  /** Which optimiser the run was told to use. */
  public OptimizerConfig optimizer() {
    return optimizer;
  }

  /** Has something closed with this context; returns it. */
  public <T extends AutoCloseable> T own(T part) {
    return owned.add(part);
  }

  /** Parameters of this rank alone, in flat memory. */
  public FlatParameters parameters() {
    return own(new FlatParameters(model, communicator));
  }

  /**
   * Parameters of this rank alone, in flat memory, with gradients that have memory elsewhere.
   *
   * @param gradients makes that memory for the parameters' layout
   */
  public FlatParameters parameters(Function<FlatLayout, GradientMemory> gradients) {
    return own(new FlatParameters(model, communicator, gradients));
  }

  /** The model's other tensors, in flat memory. */
  public ModelBuffers buffers() {
    return own(new ModelBuffers(model, communicator));
  }

  /**
   * The live memory of the model that the role trains: its parameters, then its other tensors.
   *
   * @throws IllegalStateException if no role has been composed
   */
  public List<ModelMemory> modelMemory() {
    if (modelMemory.isEmpty()) {
      throw new IllegalStateException("The strategy has composed no worker.");
    }
    return modelMemory;
  }

  /** A worker that computes the whole model, with what the run says of clipping. */
  public Role worker(
      FlatParameters parameters,
      ModelBuffers buffers,
      GradientExchange exchange,
      Update update,
      ParameterExchange parameterExchange) {
    return worker(parameters, buffers, exchange, update, parameterExchange, PassListener.NONE);
  }

  /**
   * As the other.
   *
   * @param listener hears of the stages of passes in training
   */
  Role worker(
      FlatParameters parameters,
      ModelBuffers buffers,
      GradientExchange exchange,
      Update update,
      ParameterExchange parameterExchange,
      PassListener listener) {
    modelMemory =
        List.of(ModelMemory.whole(parameters.values()), ModelMemory.whole(buffers.values()));
    own(exchange);
    own(update);
    own(parameterExchange);
    Precision reduced = precision(exchange);
    Compute compute =
        own(
            new Replica(
                model,
                parameters,
                buffers,
                loss,
                reader,
                reduced,
                seed,
                communicator.rank(),
                listener));
    return new Worker(compute, exchange, update, parameterExchange, reduced, clipNorm);
  }

  private Precision precision(GradientExchange exchange) {
    precisionIsUsed = true;
    reducesExactly = exchange.reducesExactly();
    measuresParts = exchange.measuresParts();
    if (precision.type() == Type.FP16 && !exchange.reducesExactly()) {
      throw new ConfigKeyException(
          "training.precision",
          "must be bf16 or float32 here: with fp16 all ranks leave out a step in which one"
              + " overflows, for which they must know it before they update; strategy.type:"
              + " data_parallel without compression lets them.");
    }
    return new MixedPrecision(precision, computedIn);
  }

  /**
   * Whether what has been composed takes every step with the exact sum of all ranks' gradients, as
   * {@link GradientExchange#reducesExactly} says.
   */
  public boolean reducesExactly() {
    return reducesExactly;
  }

  /** Whether what has been composed can measure norms of parts of a batch. */
  public boolean measuresParts() {
    return measuresParts;
  }

  /**
   * Whether what has been composed computes in the precision that the run was told, which {@link
   * #worker} sees to.
   */
  public boolean heedsPrecision() {
    return precisionIsUsed || precision.type() == Type.FLOAT32;
  }

  /**
   * A worker that computes a part of the model, with what the run says of clipping.
   *
   * @param memory of its parameters, then of its other tensors
   */
  public Role worker(
      Compute compute, GradientExchange exchange, Update update, List<ModelMemory> memory) {
    return worker(compute, exchange, update, ParameterExchange.NONE, memory);
  }

  /** As the other, where parameters are exchanged, too. */
  Role worker(
      Compute compute,
      GradientExchange exchange,
      Update update,
      ParameterExchange parameterExchange,
      List<ModelMemory> memory) {
    modelMemory = List.copyOf(memory);
    own(exchange);
    own(update);
    own(parameterExchange);
    own(compute);
    return new Worker(compute, exchange, update, parameterExchange, Precision.FULL, clipNorm);
  }

  /** Closes what it owns; afterwards the model has memory of its own again. */
  @Override
  public void close() {
    owned.close();
  }
}

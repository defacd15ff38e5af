package dev.lockstep.train.engine;

import dev.lockstep.model.Model;
import dev.lockstep.model.PassListener;
import dev.lockstep.model.StageSeeds;
import dev.lockstep.model.TrainingPass;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.VoidTensorHook;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The whole model on every rank.
 *
 * <p>libtorch calls a parameter's hook with its gradient before it accumulates that, on the thread
 * of backward, and tells nobody when it has; the next hook may come a whole layer later. So where
 * the sink wants each gradient, the hook itself accumulates, and libtorch is left with a parameter
 * that has no gradient yet, for which it keeps what the hook was given instead of adding.
 */
public final class Replica implements Compute {
  private final Model model;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Loss loss;
  private final SampleReader reader;
  private final Precision precision;
  private final PassListener listener;
  private final long seed;
  private final int rank;
  // Native code refers to the hooks weakly; this list keeps them alive.
  private final List<GradientHook> hooks = new ArrayList<>();
  private final BitSet used = new BitSet();

  private long number;
  private boolean lossIsFinite;
  private @Nullable GradientSink hearing;

  /** Whether hooks add gradients up, and not libtorch. */
  private boolean adding;

  /** The hook before, whose gradient libtorch has kept since. */
  private @Nullable GradientHook last;

  private @Nullable RuntimeException failure;

  /**
   * Registers a hook with each parameter, and computes in their type.
   *
   * @param seed random numbers within the model follow from it, the step, the rank, the piece and
   *     the stage alone, so they need no state
   */
  public Replica(
      Model model,
      FlatParameters parameters,
      ModelBuffers buffers,
      Loss loss,
      SampleReader reader,
      long seed,
      int rank) {
    this(model, parameters, buffers, loss, reader, Precision.FULL, seed, rank, PassListener.NONE);
  }

  /**
   * As the other.
   *
   * @param precision says what forward and backward passes compute in; predictions are computed in
   *     the parameters' type, as the saved model will
   * @param listener hears of the stages of passes in training
   */
  public Replica(
      Model model,
      FlatParameters parameters,
      ModelBuffers buffers,
      Loss loss,
      SampleReader reader,
      Precision precision,
      long seed,
      int rank,
      PassListener listener) {
    this.precision = precision;
    this.listener = listener;
    this.model = model;
    this.parameters = parameters;
    this.buffers = buffers;
    this.loss = loss;
    this.reader = reader;
    this.seed = seed;
    this.rank = rank;
    for (int i = 0; i < parameters.count(); i++) {
      hooks.add(new GradientHook(i));
    }
  }

  @Override
  public void begin(Step step) {
    torch.manual_seed(RandomSeeds.of(seed, step.number(), rank));
    number = step.number();
    parameters.gradientMemory().zero();
    used.clear();
    lossIsFinite = true;
    if (precision.maySkip()) {
      buffers.keep();
    }
  }

  @Override
  public void undo() {
    buffers.goBack();
  }

  @Override
  public double run(MicroBatch piece, double weight, GradientSink sink) {
    if (piece.count() == 0) {
      return runWithoutSamples(sink);
    }
    try (PointerScope scope = new PointerScope()) {
      SampleReader.Samples samples = reader.read(piece);
      TrainingPass pass = pass(samples.inputs(), seeds(piece));
      Tensor mean = loss.mean(prediction(pass), samples);
      double value = mean.item_double();
      lossIsFinite &= Double.isFinite(value);
      sink.backwardBegins(lossIsFinite);
      double share = weight * piece.count() / piece.batch().count();
      backward(pass, share == 1 ? mean : mean.mul(new Scalar(share)), sink);
      // A pass that is cut gives its last part a leaf, from which a gradient always flows.
      if (used.isEmpty()) {
        throw pass.noGradient();
      }
      return value * piece.count();
    }
  }

  private TrainingPass pass(Tensor inputs, StageSeeds seeds) {
    try (Autocast region = new Autocast(precision.reducedType())) {
      return model.trainingPass(inputs, seeds, listener);
    }
  }

  /** In the parameters' type, so that losses are. */
  private Tensor prediction(TrainingPass pass) {
    return precision.reducedType().isPresent()
        ? pass.output().to(model.type().scalarType())
        : pass.output();
  }

  private StageSeeds seeds(MicroBatch piece) {
    return RandomSeeds.ofPiece(seed, number, rank, piece);
  }

  /** A model whose passes are collective needs this rank though it has nothing to add. */
  private double runWithoutSamples(GradientSink sink) {
    if (!model.isCollective()) {
      sink.backwardBegins(lossIsFinite);
      return 0;
    }
    try (PointerScope scope = new PointerScope()) {
      TensorOptions type = new TensorOptions(model.type().scalarType());
      long[] shape = BatchReader.shape(0, reader.featureShape());
      TrainingPass pass = pass(torch.zeros(shape, type), stage -> stage);
      sink.backwardBegins(lossIsFinite);
      backward(pass, prediction(pass).sum(), sink);
      return 0;
    }
  }

  private void backward(TrainingPass pass, Tensor scaled, GradientSink sink) {
    hearing = sink.wantsEach() ? sink : null;
    adding = hearing != null || !parameters.gradientMemory().isWhole();
    if (adding) {
      hooks.forEach(GradientHook::detachGradient);
    }
    try {
      pass.backward(scaled);
    } finally {
      if (adding) {
        hooks.forEach(GradientHook::restoreGradient);
      }
      hearing = null;
      last = null;
    }
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public Computed computed() {
    return new Computed(lossIsFinite, used, parameters.count());
  }

  @Override
  public Tensor predict(Tensor inputs) {
    model.setTraining(false);
    try (NoGradGuard guard = new NoGradGuard()) {
      return model.forward(inputs);
    } finally {
      model.setTraining(true);
    }
  }

  @Override
  public String findNonFinite(Step step) {
    for (int i = 0; i < parameters.count(); i++) {
      if (!isFinite(parameters.parameter(i))) {
        return "the parameter " + parameters.name(i);
      }
    }
    if (model.isCollective()) {
      return findNonFiniteGradient();
    }
    begin(step);
    for (MicroBatch piece : step.pieces()) {
      String found = findNonFinite(piece);
      if (!found.isEmpty()) {
        return found;
      }
    }
    return findNonFiniteGradient();
  }

  private String findNonFiniteGradient() {
    for (int i = parameters.count() - 1; i >= 0; i--) {
      if (!isFinite(parameters.gradientMemory().sum(i))) {
        return "the gradient of " + parameters.name(i);
      }
    }
    return "";
  }

  private String findNonFinite(MicroBatch piece) {
    if (piece.count() == 0) {
      return "";
    }
    try (PointerScope scope = new PointerScope()) {
      SampleReader.Samples samples = reader.read(piece);
      TrainingPass pass = pass(samples.inputs(), seeds(piece));
      Tensor prediction = prediction(pass);
      Tensor mean = loss.mean(prediction, samples);
      pass.backward(mean);
      if (!isFinite(samples.inputs())) {
        return "the batch's features";
      }
      if (!isFinite(samples.targets())) {
        return "the batch's targets";
      }
      if (!isFinite(prediction)) {
        return "the model's prediction";
      }
      return isFinite(mean) ? "" : "the loss";
    }
  }

  private static boolean isFinite(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      return torch.isfinite(tensor).all().item_bool();
    }
  }

  @Override
  public void declare(TrainingState state) {
    state.replicated("model.", parameters.values());
    state.replicated("buffer.", buffers.values());
    state.onRestored(buffers::snapshot);
  }

  @Override
  public void close() {
    hooks.forEach(GradientHook::remove);
  }

  /** Of one parameter. */
  private final class GradientHook extends VoidTensorHook {
    private final int parameter;
    private final int handle;
    private final @Nullable Tensor sum;
    private final Tensor gradient;

    GradientHook(int parameter) {
      this.parameter = parameter;
      retainReference();
      boolean whole = parameters.gradientMemory().isWhole();
      sum = whole ? parameters.gradientMemory().sum(parameter) : null;
      if (sum != null) {
        sum.retainReference();
      }
      gradient = parameters.parameter(parameter).mutable_grad();
      handle = parameters.parameter(parameter).register_hook(this);
    }

    /** From here on libtorch finds no gradient to add to. */
    void detachGradient() {
      gradient.reset();
    }

    void restoreGradient() {
      if (sum == null) {
        gradient.reset();
      } else {
        gradient.put(sum);
      }
    }

    @Override
    public void call(TensorBase computed) {
      // Or the gradient lives until backward has ended, and with it those of all layers.
      try (computed) {
        if (failure != null) {
          return;
        }
        used.set(parameter);
        if (adding) {
          if (last != null) {
            last.detachGradient();
          }
          last = this;
          add(computed);
        }
        if (hearing != null) {
          hearing.ready(parameter);
        }
      } catch (RuntimeException e) {
        // Through libtorch's frames it would lose its type; backward() throws it.
        failure = e;
      }
    }

    private void add(TensorBase computed) {
      try (Tensor term = new Tensor(computed)) {
        if (sum != null) {
          sum.add_(term);
          return;
        }
        try (Tensor place = parameters.gradientMemory().sum(parameter)) {
          place.add_(term);
        }
      }
    }

    void remove() {
      restoreGradient();
      parameters.parameter(parameter).remove_hook(handle);
      if (sum != null) {
        sum.close();
      }
      close();
    }
  }
}

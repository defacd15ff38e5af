package dev.lockstep.train.memory;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.jni.Native;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A model's parameters and their gradients, moved into flat buffers in which libtorch works from
 * then on: what backward accumulates lies ready to be reduced, and what the optimiser writes is the
 * model.
 *
 * <p>{@link #close} gives the model memory of its own again. Not thread-safe.
 */
public final class FlatParameters implements AutoCloseable {
  private final List<ModelTensor> parameters;
  private final FlatLayout layout;
  private final @Nullable FlatBuffers values;
  private final GradientMemory gradients;

  /** Every rank has parameters of its own. */
  public FlatParameters(Model model, Communicator communicator) {
    this(model.parameters(), communicator);
  }

  /** Of some parameters, which this rank trains. */
  public FlatParameters(List<ModelTensor> parameters, Communicator communicator) {
    this(parameters, communicator::allocate, true, whole(communicator));
  }

  /**
   * Every rank has parameters of its own, and gradients have memory elsewhere.
   *
   * @param gradients makes that memory for the parameters' layout; not owned
   */
  public FlatParameters(
      Model model, Communicator communicator, Function<FlatLayout, GradientMemory> gradients) {
    this(model.parameters(), communicator::allocate, true, gradients);
  }

  private static Function<FlatLayout, GradientMemory> whole(Communicator communicator) {
    return layout -> new WholeGradients(layout, communicator::allocate);
  }

  /**
   * All ranks use one and the same parameters, which begin as rank 0's; collective.
   *
   * @param shared gives memory that all ranks use
   */
  public static FlatParameters shared(
      Model model, Communicator communicator, LongFunction<NativeMemory> shared) {
    FlatParameters parameters =
        new FlatParameters(
            model.parameters(), shared, communicator.rank() == 0, whole(communicator));
    communicator.barrier();
    return parameters;
  }

  /**
   * Parameters and gradients have memory elsewhere, which others give them and take away.
   *
   * @param gradients where backward adds them up; not owned
   */
  public static FlatParameters elsewhere(Model model, GradientMemory gradients) {
    return new FlatParameters(model.parameters(), gradients);
  }

  private FlatParameters(List<ModelTensor> tensors, GradientMemory gradients) {
    parameters = tensors;
    layout = FlatLayout.of(tensors);
    values = null;
    this.gradients = gradients;
  }

  private FlatParameters(
      List<ModelTensor> tensors,
      LongFunction<NativeMemory> allocate,
      boolean writes,
      Function<FlatLayout, GradientMemory> memory) {
    parameters = tensors;
    layout = FlatLayout.of(parameters);
    FlatBuffers whole = new FlatBuffers(layout, allocate);
    try {
      gradients = memory.apply(layout);
    } catch (RuntimeException e) {
      whole.close();
      throw e;
    }
    values = whole;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < parameters.size(); i++) {
        Slot slot = layout.slots().get(i);
        ModelTensor parameter = parameters.get(i);
        Tensor view = whole.view(slot);
        if (writes) {
          view.copy_(parameter.tensor());
        }
        parameter.moveTo(view);
        if (gradients.isWhole()) {
          parameter.tensor().mutable_grad().put(gradients.sum(i));
        }
      }
    }
  }

  public FlatLayout layout() {
    return layout;
  }

  /**
   * All parameters.
   *
   * @throws IllegalStateException where they have memory elsewhere
   */
  public FlatBuffers values() {
    if (values == null) {
      throw new IllegalStateException("The parameters of this model are never all in memory.");
    }
    return values;
  }

  /**
   * All gradients.
   *
   * @throws IllegalStateException where they have memory elsewhere
   */
  public FlatBuffers gradients() {
    if (gradients instanceof WholeGradients whole) {
      return whole.flat();
    }
    throw new IllegalStateException("The gradients of this model are never all in memory.");
  }

  /** Where backward adds them up. */
  public GradientMemory gradientMemory() {
    return gradients;
  }

  /** How many tensors there are. */
  public int count() {
    return parameters.size();
  }

  public Tensor parameter(int index) {
    return parameters.get(index).tensor();
  }

  public String name(int index) {
    return parameters.get(index).name();
  }

  /**
   * The sum of the squares of all gradients; not finite if one of them is not, or if it overflows.
   */
  public double squaredGradientNorm() {
    double squares = 0;
    for (int i = 0; i < layout.groups().size(); i++) {
      squares += squaredGradientNorm(new ParameterRange(i, 0, layout.groups().get(i).count()));
    }
    return squares;
  }

  /** As the other, over one range. */
  public double squaredGradientNorm(ParameterRange range) {
    Group group = layout.groups().get(range.group());
    return Native.sum_of_squares(
        gradients().address(range.group()) + range.from() * group.elementBytes(),
        range.count(),
        group.dataType().code());
  }

  /**
   * Whether all gradients are finite.
   *
   * @param squaredNorm theirs; where it is finite, so are they
   */
  public boolean gradientsAreFinite(double squaredNorm) {
    if (Double.isFinite(squaredNorm)) {
      return true;
    }
    // Squares of finite float64 numbers may overflow.
    try (PointerScope scope = new PointerScope()) {
      for (int i = 0; i < layout.groups().size(); i++) {
        if (!torch.isfinite(gradients().whole(i)).all().item_bool()) {
          return false;
        }
      }
    }
    return true;
  }

  /** Multiplies a range of gradients. */
  public void scaleGradients(ParameterRange range, double factor) {
    Group group = layout.groups().get(range.group());
    Native.scale(
        gradients().address(range.group()) + range.from() * group.elementBytes(),
        range.count(),
        group.dataType().code(),
        factor);
  }

  @Override
  public void close() {
    if (values == null) {
      return;
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (ModelTensor parameter : parameters) {
        Tensor tensor = parameter.tensor();
        tensor.mutable_grad().reset();
        parameter.moveTo(tensor.detach().clone());
      }
    }
    values.close();
    if (gradients instanceof WholeGradients whole) {
      whole.close();
    }
  }
}

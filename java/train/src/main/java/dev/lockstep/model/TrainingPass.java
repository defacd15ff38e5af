package dev.lockstep.model;

import dev.lockstep.comm.CommunicationException;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * A forward pass of a model in training, from which gradients can flow back. Its tensors belong to
 * the {@link org.bytedeco.javacpp.PointerScope} in which it was made. One thread.
 *
 * <p>A pass may be cut between stages: the later part then begins at a leaf tensor with the values
 * that the earlier part gave, and the gradient that backward leaves there is where the earlier
 * part's backward begins. The gradients are those of the uncut pass, bit for bit.
 *
 * <p>{@link #keep} lets a pass outlive its scope, until {@link #close}.
 */
public final class TrainingPass implements AutoCloseable {
  /** A part of the pass, whose gradients do not flow into its neighbours by themselves. */
  interface Part {
    /** Applies the part to a leaf, or to the model's inputs. */
    Tensor forward(Tensor input);

    /**
     * Hands gradients back.
     *
     * @param gradient of what {@link #forward} gave
     * @return that of its input; undefined if nothing depends on the input
     */
    Tensor backward(Tensor gradient);

    /** What must outlive the scope of the forward pass for backward to be possible. */
    List<Tensor> held();
  }

  private final String model;
  private final List<Part> parts;
  private final Tensor output;
  private final boolean whole;
  private List<Tensor> kept = List.of();

  private TrainingPass(String model, List<Part> parts, Tensor output) {
    this.model = model;
    this.parts = parts;
    this.output = output;
    whole = parts.isEmpty();
  }

  /** A pass in one piece. */
  static TrainingPass whole(String model, Tensor output) {
    return new TrainingPass(model, List.of(), output);
  }

  /** A pass cut between parts. */
  static TrainingPass cut(String model, List<Part> parts, Tensor inputs) {
    Tensor current = inputs;
    for (Part part : parts) {
      current = leaf(part.forward(current));
    }
    return new TrainingPass(model, parts, current);
  }

  private static Tensor leaf(Tensor values) {
    Tensor leaf = values.detach();
    if (torch.isFloatingType(leaf.scalar_type())) {
      leaf.set_requires_grad(true);
    }
    return leaf;
  }

  /** What the model predicts, [samples, …]. */
  public Tensor output() {
    return output;
  }

  /**
   * Adds the gradients of a loss to those of the model's parameters.
   *
   * @param loss a scalar, computed from {@link #output}
   * @throws ModelException if no gradient reaches the parameters, or libtorch refuses
   */
  public void backward(Tensor loss) {
    backwardToInput(loss);
  }

  /**
   * As {@link #backward}.
   *
   * @return the gradient of the pass's inputs; undefined if they need none, or if the loss does not
   *     depend on them
   */
  public Tensor backwardToInput(Tensor loss) {
    if (!loss.requires_grad()) {
      throw noGradient();
    }
    try {
      loss.backward();
      return whole ? new Tensor() : backwardOf(output.grad());
    } catch (ModelException | CommunicationException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new ModelException(
          "The backward pass of " + model + " fails: " + ModelException.reason(e), e);
    }
  }

  /**
   * Adds the gradients of the model's parameters, given that of {@link #output}.
   *
   * @return the gradient of the pass's inputs; undefined if they need none, or if the output does
   *     not depend on them
   * @throws ModelException if libtorch refuses
   */
  public Tensor backwardFrom(Tensor gradient) {
    try {
      return backwardOf(gradient);
    } catch (ModelException | CommunicationException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new ModelException(
          "The backward pass of " + model + " fails: " + ModelException.reason(e), e);
    }
  }

  private Tensor backwardOf(Tensor gradient) {
    return backwardThrough(parts, gradient);
  }

  private static Tensor backwardThrough(List<Part> parts, Tensor gradient) {
    Tensor current = gradient;
    for (int i = parts.size() - 1; i >= 0 && current.defined(); i--) {
      current = parts.get(i).backward(current);
    }
    return current;
  }

  /** Keeps the pass's tensors beyond the scope in which it was made, until it is closed. */
  public TrainingPass keep() {
    kept = new ArrayList<>();
    kept.add(output);
    parts.forEach(part -> kept.addAll(part.held()));
    kept.forEach(Tensor::retainReference);
    return this;
  }

  /** Frees what {@link #keep} has kept; a pass that was not kept ends with its scope. */
  @Override
  public void close() {
    kept.forEach(Tensor::close);
    kept = List.of();
  }

  /** What is wrong where a backward pass has reached no parameter. */
  public ModelException noGradient() {
    return new ModelException(
        "No gradient reaches the parameters of "
            + model
            + ": its output does not depend on them, or was detached; remove detach(), .data and"
            + " torch.no_grad() from the way to the output.");
  }

  /** Stages that follow each other, differentiated by libtorch. */
  static final class Stages implements Part {
    private final List<SeededStage> stages;
    private Tensor input = new Tensor();
    private Tensor output = new Tensor();

    Stages(List<SeededStage> stages) {
      this.stages = List.copyOf(stages);
    }

    @Override
    public Tensor forward(Tensor input) {
      this.input = input;
      // A stage may begin with an operation in place, which a leaf does not allow.
      output = input.requires_grad() ? input.clone() : input;
      for (SeededStage stage : stages) {
        output = stage.forward(output);
      }
      return output;
    }

    @Override
    public List<Tensor> held() {
      return List.of(input, output);
    }

    @Override
    public Tensor backward(Tensor gradient) {
      if (output.requires_grad()) {
        // Under autocast, parts that follow each other may compute in different types.
        Tensor own = gradient.to(output.scalar_type());
        output.backward(own, new BoolOptional(), false, new TensorArrayRefOptional());
      }
      return input.grad();
    }
  }

  /** Parts between two cuts of a listener, which it makes ready. */
  static final class Group implements Part {
    private final int index;
    private final List<Part> parts;
    private final PassListener listener;

    Group(int index, List<Part> parts, PassListener listener) {
      this.index = index;
      this.parts = List.copyOf(parts);
      this.listener = listener;
    }

    @Override
    public Tensor forward(Tensor input) {
      Tensor output = input;
      for (int i = 0; i < parts.size(); i++) {
        output = parts.get(i).forward(i == 0 ? output : leaf(output));
      }
      return output;
    }

    @Override
    public List<Tensor> held() {
      return parts.stream().flatMap(part -> part.held().stream()).toList();
    }

    @Override
    public Tensor backward(Tensor gradient) {
      listener.backwardBegins(index);
      return backwardThrough(parts, gradient);
    }
  }
}

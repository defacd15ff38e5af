package dev.lockstep.model;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.torch.TensorSpans;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Stages that follow each other and that the ranks of a group compute together, each with a slice
 * of the width between the first and the last of them (Shoeybi et al. 2019, "Megatron-LM", section
 * 3): one all-reduce of the output in the forward pass, one of the input's gradient in the backward
 * pass. What comes before and behind the width, as a layer norm and the addition of a by-pass,
 * every rank computes for itself. Owns nothing.
 *
 * @param name of the layers, for messages
 * @param first index of the first stage
 * @param enter what is computed before the width; empty for nothing
 * @param inside what is computed with slices, one module for each stage; the last is a linear map
 *     that takes the width
 * @param leave of the block's input and the sum of the outputs; empty where that sum is the output
 * @param ranks that have the slices
 */
record SplitBlock(
    String name,
    int first,
    Optional<JitModule> enter,
    List<JitModule> inside,
    Optional<JitModule> leave,
    Communicator ranks) {
  SplitBlock {
    inside = List.copyOf(inside);
  }

  int stageCount() {
    return inside.size();
  }

  /** Applies it, without gradients; collective. */
  Tensor forward(Tensor input) {
    return new Pass(null).forward(input);
  }

  /**
   * A pass with gradients.
   *
   * @param seeds of random numbers; null if there are none
   */
  TrainingPass.Part pass(@Nullable StageSeeds seeds) {
    return new Pass(seeds);
  }

  void setTraining(boolean training) {
    enter.ifPresent(module -> module.train(training));
    inside.forEach(module -> module.train(training));
    leave.ifPresent(module -> module.train(training));
  }

  private final class Pass implements TrainingPass.Part {
    private final @Nullable StageSeeds seeds;
    private Tensor input = new Tensor();
    private Tensor entered = new Tensor();

    /** Where the part with slices begins. */
    private Tensor shared = new Tensor();

    private Tensor partial = new Tensor();

    /** The sum of the partial outputs, where the last part begins. */
    private Tensor sum = new Tensor();

    private Tensor output = new Tensor();

    Pass(@Nullable StageSeeds seeds) {
      this.seeds = seeds;
    }

    @Override
    public Tensor forward(Tensor input) {
      this.input = input;
      shared = input;
      if (enter.isPresent()) {
        entered = TorchScriptFile.forward(enter.get(), input, name);
        shared = entered.detach();
        shared.set_requires_grad(entered.requires_grad());
      }
      partial = shared;
      for (int i = 0; i < inside.size(); i++) {
        seed(first + i, ranks.rank() + 1);
        partial = TorchScriptFile.forward(inside.get(i), partial, name);
      }
      // A linear map's backward pass does not read its output, so the sum may take its place.
      sum = partial.detach().contiguous();
      ranks.allReduce(TensorSpans.of(sum), ReduceOp.SUM);
      output = sum;
      if (leave.isPresent()) {
        sum.set_requires_grad(partial.requires_grad());
        seed(first, 0);
        IValueVector inputs = new IValueVector(new IValue(input), new IValue(sum));
        output = new Tensor(leave.get().forward(inputs).toTensor());
      }
      return output;
    }

    /**
     * Random numbers are equal on all ranks where activations are, others where they are slices.
     */
    private void seed(int stage, int salt) {
      if (seeds != null) {
        torch.manual_seed(seeds.of(stage) + salt * 0x9E3779B97F4A7C15L);
      }
    }

    @Override
    public Tensor backward(Tensor gradient) {
      Tensor current = gradient;
      if (leave.isPresent()) {
        backward(output, current);
        current = sum.grad();
      }
      backward(partial, current);
      if (!shared.requires_grad()) {
        return new Tensor();
      }
      Tensor total = shared.grad().contiguous();
      ranks.allReduce(TensorSpans.of(total), ReduceOp.SUM);
      if (enter.isEmpty()) {
        return total;
      }
      backward(entered, total);
      return input.grad();
    }

    private static void backward(Tensor output, Tensor gradient) {
      // Under autocast, parts that follow each other may compute in different types.
      Tensor own = gradient.to(output.scalar_type());
      output.backward(own, new BoolOptional(), false, new TensorArrayRefOptional());
    }

    @Override
    public List<Tensor> held() {
      List<Tensor> held = new ArrayList<>();
      for (Tensor tensor : List.of(input, entered, shared, partial, sum, output)) {
        if (!tensor.isNull() && tensor.defined()) {
          held.add(tensor);
        }
      }
      return held;
    }
  }
}

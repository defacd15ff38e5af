package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.comm.Channel;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.torch.TensorSpans;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.FlatParameters;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The squared norm of a gradient that lies on several ranks, with the bits that one rank with all
 * of it would find: the sums travel from rank to rank in the order of the parameters. Element i of
 * the whole is added to sum i mod 32, and these are added pairwise at the end, as in {@link
 * FlatParameters#squaredGradientNorm()}.
 */
final class OrderedSquares {
  private static final int LANES = 32;

  private final Communicator pipeline;
  private final FlatLayout whole;
  private final PartTensors tensors;
  private final FlatParameters own;
  private final Map<String, Slot> ownSlots = new HashMap<>();
  private final int tag;

  /**
   * @param tensors the parameters of all ranks
   * @param own this rank's
   * @param tag that no other messages use
   */
  OrderedSquares(Communicator pipeline, PartTensors tensors, FlatParameters own, int tag) {
    this.pipeline = pipeline;
    this.tensors = tensors;
    this.own = own;
    this.tag = tag;
    whole = tensors.layout();
    own.layout().slots().forEach(slot -> ownSlots.put(slot.name(), slot));
  }

  /** The sum, the same on all ranks; collective. */
  double sum() {
    double[] sums = new double[whole.groups().size()];
    for (int group = 0; group < sums.length; group++) {
      sums[group] = group(group);
    }
    double all = 0;
    for (double sum : pipeline.allReduce(sums, ReduceOp.SUM)) {
      all += sum;
    }
    return all;
  }

  /** Of one element type; 0 on all ranks but the one with its last parameter. */
  private double group(int group) {
    double[] lanes = new double[LANES];
    int holder = -1;
    for (int i = 0; i < whole.slots().size(); i++) {
      Slot slot = whole.slots().get(i);
      if (slot.group() != group) {
        continue;
      }
      int next = tensors.rank(i);
      if (holder >= 0 && next != holder) {
        pass(lanes, holder, next);
      }
      holder = next;
      Slot mine = ownSlots.get(slot.name());
      if (mine != null) {
        add(lanes, slot.offset(), mine);
      }
    }
    return holder == pipeline.rank() ? total(lanes) : 0;
  }

  private void add(double[] lanes, long first, Slot mine) {
    try (PointerScope scope = new PointerScope()) {
      Tensor values = own.gradients().view(mine).to(ScalarType.Double).contiguous();
      double[] gradient = new double[(int) values.numel()];
      new DoublePointer(values.data_ptr()).get(gradient);
      for (int i = 0; i < gradient.length; i++) {
        lanes[(int) ((first + i) % LANES)] += gradient[i] * gradient[i];
      }
    }
  }

  private void pass(double[] lanes, int from, int to) {
    if (pipeline.rank() != from && pipeline.rank() != to) {
      return;
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor message = torch.zeros(new long[] {LANES}, new TensorOptions(ScalarType.Double));
      DoublePointer numbers = new DoublePointer(message.data_ptr());
      boolean sends = pipeline.rank() == from;
      Channel channel = pipeline.channel(sends ? to : from, tag);
      if (sends) {
        numbers.put(lanes);
        channel.send(TensorSpans.of(message)).await();
      } else {
        channel.receive(TensorSpans.of(message)).await();
        numbers.get(lanes);
      }
    }
  }

  private static double total(double[] lanes) {
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        lanes[i] += lanes[i + half];
      }
    }
    return lanes[0];
  }
}

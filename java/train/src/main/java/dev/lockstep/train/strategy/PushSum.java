package dev.lockstep.train.strategy;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.OwnedParts;
import java.nio.DoubleBuffer;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What a rank has under push-sum (Assran et al. 2019, "Stochastic gradient push for distributed
 * deep learning", algorithm 1): biased parameters x and a weight w, both of which it gives away in
 * the same parts. The model's memory has z = x ÷ w, at which gradients are computed. The mean of
 * all ranks is Σx ÷ Σw. One thread.
 */
final class PushSum implements Stateful, AutoCloseable {
  private static final FlatLayout SCALAR =
      new FlatLayout(
          List.of(new Slot("weight", new long[] {1}, 0, 0, 1)),
          List.of(new Group(ScalarType.Double, Double.BYTES, 1)));

  private final OwnedParts owned = new OwnedParts();
  private final FlatParameters parameters;
  private final FlatBuffers scratch;
  private final FlatBuffers biased;
  private final FlatBuffers weight;

  /**
   * Takes the memory.
   *
   * @param scratch of the parameters' layout, which {@link #fold} overwrites; the caller's
   */
  PushSum(FlatParameters parameters, FlatBuffers scratch) {
    this.parameters = parameters;
    this.scratch = scratch;
    try {
      biased = owned.add(new FlatBuffers(parameters.layout(), NativeMemory::allocate));
      weight = owned.add(newWeight());
    } catch (RuntimeException e) {
      owned.close();
      throw e;
    }
  }

  /** Memory of a weight. */
  static FlatBuffers newWeight() {
    return new FlatBuffers(SCALAR, NativeMemory::allocate);
  }

  /** The number in such memory. */
  static double value(FlatBuffers weight) {
    return element(weight).get(0);
  }

  private static DoubleBuffer element(FlatBuffers weight) {
    return NativeView.bytes(weight.address(0), Double.BYTES).asDoubleBuffer();
  }

  /** x. */
  FlatBuffers biased() {
    return biased;
  }

  /** The memory of w. */
  FlatBuffers weight() {
    return weight;
  }

  /** Begins with the model's parameters and the weight 1. */
  void begin() {
    biased.copyFrom(parameters.values());
    element(weight).put(0, 1);
  }

  /** By as much as the optimiser has moved z, x moves, too; then z follows it. */
  void fold() {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Scalar w = new Scalar(value(weight));
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        Tensor before = scratch.whole(g);
        before.copy_(biased.whole(g)).div_(w);
        biased.whole(g).sub_(before).add_(parameters.values().whole(g));
      }
    }
    showUnbiased();
  }

  /**
   * x ← own · x + Σ share · what is heard, and w likewise.
   *
   * @param own the part that this rank keeps
   * @param shares of those heard; 0 for one that has said nothing
   */
  void mix(double own, double[] shares, List<FlatBuffers> heard, List<FlatBuffers> heardWeights) {
    double w = own * value(weight);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        biased.whole(g).mul_(new Scalar(own));
      }
      for (int i = 0; i < shares.length; i++) {
        if (shares[i] == 0) {
          continue;
        }
        w += shares[i] * value(heardWeights.get(i));
        for (int g = 0; g < parameters.layout().groups().size(); g++) {
          biased.whole(g).add_(heard.get(i).whole(g), new Scalar(shares[i]));
        }
      }
    }
    element(weight).put(0, w);
    showUnbiased();
  }

  /** z ← x ÷ w. */
  void showUnbiased() {
    divide(biased, parameters.values(), value(weight));
  }

  /** {@code to} ← {@code from} ÷ {@code by}; both may be the same. */
  static void divide(FlatBuffers from, FlatBuffers to, double by) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < from.layout().groups().size(); g++) {
        to.whole(g).copy_(from.whole(g)).div_(new Scalar(by));
      }
    }
  }

  /** Another number of ranks begins with the mean of both, whose quotient is the mean model. */
  @Override
  public void declare(TrainingState state) {
    state.perRank("push_sum.biased.", biased, Placement.Resize.MEAN);
    state.perRank("push_sum.", weight, Placement.Resize.MEAN);
  }

  @Override
  public void close() {
    owned.close();
  }
}

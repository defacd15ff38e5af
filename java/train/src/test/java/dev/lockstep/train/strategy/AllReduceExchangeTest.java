package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.Needs;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.ParameterRange;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is told of gradients while others are on their way. */
@Timeout(60)
class AllReduceExchangeTest {
  /** Weights and biases of three layers, each of them a bucket. */
  private static final int PARAMETERS = 6;

  @Test
  void allBucketsButTheLastAreToldWithTheirSums() throws Exception {
    for (List<Integer> told : told(new BitSet())) {
      assertEquals(List.of(5, 4, 3, 2, 1), told);
    }
  }

  /** It may be in no rank's loss, and is then not to be updated. */
  @Test
  void aBucketThatBackwardDidNotReachIsNotTold() throws Exception {
    BitSet unused = new BitSet();
    unused.set(3);
    for (List<Integer> told : told(unused)) {
      assertEquals(List.of(5, 4, 2, 1), told);
    }
  }

  /** Whatever is done with it must wait until all ranks know that the step fails. */
  @Test
  void whatIsNotFiniteIsNotToldAlsoWhereTheNormOfAllIsNeeded() throws Exception {
    for (boolean norm : new boolean[] {false, true}) {
      Step step = new Step(0, Step.NONE.batch(), List.of(), 0, 0, new Needs(norm, Set.of()));
      List<List<Integer>> told =
          RankThreads.run(2, group -> told(group, new BitSet(), step, Float.NaN));
      assertEquals(List.of(List.of(), List.of()), told, "norm: " + norm);
    }
  }

  private static Model model() {
    return Model.mlp(ModelConfig.of(null, List.of(5, 3), null, null, null), 4, 2, 1);
  }

  /** What each of two ranks is told. */
  private static List<List<Integer>> told(BitSet unused) throws Exception {
    return RankThreads.run(2, group -> told(group, unused, Step.NONE, group.rank() + 1));
  }

  private static List<Integer> told(Communicator group, BitSet unused, Step step, float gradient) {
    List<Integer> told = new ArrayList<>();
    try (PointerScope scope = new PointerScope();
        Model model = model();
        FlatParameters parameters = new FlatParameters(model, group);
        ModelBuffers buffers = new ModelBuffers(model, group);
        AllReduceExchange exchange =
            new AllReduceExchange(1e-9, 1e-9, group, parameters, buffers)) {
      FlatLayout layout = parameters.layout();
      exchange.whenReduced(
          range -> {
            int parameter = parameter(layout, range);
            Tensor sums = parameters.gradients().view(layout.slots().get(parameter));
            assertTrue(sums.eq(new Scalar(3)).all().item_bool(), range::toString);
            told.add(parameter);
          });
      exchange.begin(step);
      exchange.backwardBegins(true);
      BitSet used = new BitSet();
      for (int i = PARAMETERS - 1; i >= 0; i--) {
        if (!unused.get(i)) {
          parameters.gradients().view(layout.slots().get(i)).fill_(new Scalar(gradient));
          used.set(i);
          exchange.ready(i);
        }
      }
      exchange.complete(new Computed(true, used, PARAMETERS));
    }
    return told;
  }

  private static int parameter(FlatLayout layout, ParameterRange range) {
    for (int i = 0; i < layout.slots().size(); i++) {
      if (layout.slots().get(i).offset() == range.from()) {
        return i;
      }
    }
    throw new IllegalArgumentException(range.toString());
  }
}

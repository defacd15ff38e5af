package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.model.TrainingPass;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How much of a model's parameters and gradients a rank has in memory while it computes. */
@Timeout(60)
class GatheredParametersTest {
  private static final int RANKS = 2;
  private static final int LAYERS = 16;
  private static final int WIDTH = 32;

  /** A layer's weights; its biases lie in the same bucket, and 64 bytes divide both. */
  private static final long LAYER_BYTES = (WIDTH * WIDTH + WIDTH) * Float.BYTES;

  /**
   * What one rank has had.
   *
   * @param whole bytes of all parameters
   * @param parameters most bytes of gathered ones
   * @param gradients most bytes of buckets
   * @param loss of the pass
   * @param hidden whether parameters read as no numbers behind the pass
   */
  private record Held(long whole, long parameters, long gradients, float loss, boolean hidden) {}

  @Test
  void aPassHasTheParametersOfTwoGroupsAndTheGradientsOfThree() throws Exception {
    float expected = lossOfTheWholeModel();
    for (Held held : RankThreads.run(RANKS, GatheredParametersTest::pass)) {
      assertEquals(2 * LAYER_BYTES, held.parameters());
      assertEquals(3 * LAYER_BYTES, held.gradients());
      assertTrue(held.whole() > LAYERS * LAYER_BYTES);
      assertEquals(expected, held.loss());
      assertTrue(held.hidden(), "a parameter that is not gathered has numbers");
    }
  }

  private static Model model() {
    ModelConfig config = ModelConfig.of(null, Collections.nCopies(LAYERS, WIDTH), null, null, null);
    return Model.mlp(config, WIDTH, WIDTH, 1);
  }

  private static Tensor inputs() {
    return torch.ones(new long[] {3, WIDTH}, new TensorOptions(ScalarType.Float));
  }

  private static float lossOfTheWholeModel() {
    try (Model model = model();
        PointerScope scope = new PointerScope()) {
      return model.forward(inputs()).mean().item_float();
    }
  }

  private static Held pass(Communicator group) {
    try (Model model = model();
        RoleContext context =
            new RoleContext(
                group,
                model,
                OptimizerConfig.defaults(),
                new Loss(LossType.MSE, 1),
                null,
                1,
                null)) {
      FlatLayout layout = FlatLayout.of(model.parameters());
      StageGroups stages = StageGroups.of(model, layout, LAYER_BYTES);
      BucketMemory memory =
          context.own(new BucketMemory(layout, stages.buckets(), group::allocate));
      FlatParameters parameters = FlatParameters.elsewhere(model, memory);
      ModelBuffers buffers = context.buffers();
      ShardedExchange shards =
          context.own(new ShardedExchange(group, parameters, stages.buckets(), List.of()));
      AllReduceExchange exchange =
          context.own(
              new AllReduceExchange(
                  stages.buckets(), shards, shards.slices(), group, parameters, buffers));
      long[] most = new long[1];
      GatheredParameters gathered =
          context.own(
              new GatheredParameters(
                  group,
                  model,
                  layout,
                  stages,
                  shards.shards(),
                  group::allocate,
                  count -> {
                    addTo(stages.buckets().get(count - 1), memory);
                    most[0] = Math.max(most[0], memory.bytes());
                    exchange.completeFirst(count);
                  }));
      exchange.begin(Step.NONE);
      gathered.begin(true);
      float loss;
      try (PointerScope scope = new PointerScope()) {
        TrainingPass pass = model.trainingPass(inputs(), stage -> stage, gathered);
        Tensor mean = pass.output().mean();
        loss = mean.item_float();
        gathered.finishForward();
        exchange.backwardBegins(true);
        pass.backward(mean);
      }
      gathered.finish();
      BitSet all = new BitSet();
      all.set(0, parameters.count());
      exchange.complete(new Computed(true, all, parameters.count()));
      boolean hidden = Float.isNaN(first(parameters));
      return new Held(layout.groups().get(0).bytes(), gathered.peakBytes(), most[0], loss, hidden);
    }
  }

  /** As the hooks of a layer's parameters do; the layer has one bucket. */
  private static void addTo(Bucket bucket, BucketMemory memory) {
    try (PointerScope scope = new PointerScope()) {
      bucket.parameters().forEach(memory::sum);
    }
  }

  private static float first(FlatParameters parameters) {
    try (PointerScope scope = new PointerScope()) {
      return parameters.parameter(0).select(0, 0).select(0, 0).item_float();
    }
  }
}

package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.NativeView;
import java.util.Collections;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Gradients that are never all in memory. */
@Timeout(60)
class BucketMemoryTest {
  private static final int RANKS = 3;
  private static final int LAYERS = 24;
  private static final long BUCKET_BYTES = 32 * 32 * Float.BYTES;

  /** What a rank has had at most while it summed all buckets, and what its slices hold then. */
  private record Held(long most, long whole, List<Float> sums) {}

  @Test
  void aRankHoldsItsSliceAndAFewBuckets() throws Exception {
    for (Held held : RankThreads.run(RANKS, BucketMemoryTest::sumAll)) {
      long few = 7 * (BUCKET_BYTES + 32 * Float.BYTES);
      assertTrue(held.most() <= few, held + " is more than seven buckets");
      assertTrue(held.whole() > 3 * few, "the model is too small to tell");
      // Rank r's gradients are r + 1 everywhere.
      held.sums().forEach(sum -> assertEquals(1f + 2 + 3, sum));
    }
  }

  private static Held sumAll(Communicator group) {
    ModelConfig config = ModelConfig.of(null, Collections.nCopies(LAYERS, 32), null, null, null);
    try (Model model = Model.mlp(config, 32, 32, 1);
        RoleContext context =
            new RoleContext(
                group,
                model,
                OptimizerConfig.defaults(),
                new Loss(LossType.MSE, 1),
                null,
                1,
                null)) {
      BucketMemory[] memory = new BucketMemory[1];
      FlatParameters parameters =
          context.parameters(
              layout ->
                  memory[0] =
                      context.own(new BucketMemory(layout, buckets(layout), group::allocate)));
      List<Bucket> buckets = buckets(parameters.layout());
      ShardedExchange exchange =
          context.own(new ShardedExchange(group, parameters, buckets, List.of()));
      exchange.begin(Step.NONE);
      long most = 0;
      for (Bucket bucket : buckets) {
        addToAll(bucket, memory[0], group.rank() + 1);
        exchange.start(bucket).await();
        most = Math.max(most, memory[0].bytes());
      }
      buckets.forEach(exchange::finish);
      return new Held(most, parameters.layout().groups().get(0).bytes(), sums(exchange, buckets));
    }
  }

  private static List<Bucket> buckets(FlatLayout layout) {
    return Bucket.plan(layout, BUCKET_BYTES, BUCKET_BYTES);
  }

  private static void addToAll(Bucket bucket, BucketMemory memory, int value) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      bucket.parameters().forEach(index -> memory.sum(index).add_(new Scalar(value)));
    }
  }

  /** The first element of each bucket of which this rank has a part. */
  private static List<Float> sums(ShardedExchange exchange, List<Bucket> buckets) {
    FlatBuffers slices = exchange.slices();
    long first = exchange.shards().get(0).own().count();
    return buckets.isEmpty() || first == 0
        ? List.of()
        : List.of(NativeView.bytes(slices.address(0), Float.BYTES).getFloat(0));
  }
}

package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.Work;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.memory.FlatParameters;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Updated slices of parameters travel while the next forward pass computes. */
@Timeout(60)
class ShardedExchangeTest {
  private static final int WIDTH = 32;
  private static final long LAYER_BYTES = (WIDTH * WIDTH + WIDTH) * Float.BYTES;

  /** What has been waited for when each stage of a forward pass with parameters begins. */
  private record Waits(List<Integer> atStages, int begun, int atTheEnd) {}

  @Test
  void eachLayerOfTheNextForwardWaitsForItsOwnSlicesAlone() throws Exception {
    for (Waits waits : RankThreads.run(2, ShardedExchangeTest::forward)) {
      assertEquals(4, waits.begun());
      assertEquals(List.of(1, 2, 3, 4), waits.atStages());
    }
  }

  @Test
  void whatIsScoredOrSavedWaitsForAllSlices() throws Exception {
    for (Waits waits : RankThreads.run(2, ShardedExchangeTest::forward)) {
      assertEquals(waits.begun(), waits.atTheEnd());
    }
  }

  private static Waits forward(Communicator group) {
    List<Integer> awaited = new ArrayList<>();
    int[] begun = new int[1];
    Communicator counting = counting(group, begun, awaited);
    ModelConfig config = ModelConfig.of(null, List.of(WIDTH, WIDTH, WIDTH), null, null, null);
    try (Model model = Model.mlp(config, WIDTH, WIDTH, 1);
        RoleContext context =
            new RoleContext(
                group,
                model,
                OptimizerConfig.defaults(),
                new Loss(LossType.MSE, 1),
                null,
                1,
                null)) {
      FlatParameters parameters = context.parameters();
      List<Bucket> buckets = Bucket.plan(parameters.layout(), LAYER_BYTES, LAYER_BYTES);
      List<BitSet> reads = StageGroups.bucketsOfStages(model, buckets, parameters.layout());
      ShardedExchange exchange =
          context.own(new ShardedExchange(counting, parameters, buckets, reads));
      Reduced reduced = new Reduced(parameters.layout().everything(), 0, null, true, Set.of());
      exchange.afterUpdate(Step.NONE, reduced);
      List<Integer> atStages = new ArrayList<>();
      for (int stage = 0; stage < reads.size(); stage++) {
        exchange.forwardBegins(stage);
        if (!reads.get(stage).isEmpty()) {
          atStages.add(awaited.size());
        }
      }
      int first = begun[0];
      exchange.afterUpdate(Step.NONE, reduced);
      exchange.synchronize(SyncPoint.CHECKPOINT);
      assertTrue(awaited.size() > first, "nothing was waited for");
      return new Waits(atStages, first, awaited.size() - first);
    }
  }

  /** A communicator that counts gathers, and those of them that have been waited for. */
  private static Communicator counting(Communicator group, int[] begun, List<Integer> awaited) {
    return proxy(
        Communicator.class,
        group,
        (name, result) -> {
          if (!name.equals("allGatherAsync")) {
            return result;
          }
          int number = begun[0]++;
          return proxy(
              Work.class,
              result,
              (call, value) -> {
                if (call.equals("await")) {
                  awaited.add(number);
                }
                return value;
              });
        });
  }

  private interface Result {
    Object of(String method, Object result);
  }

  private static <T> T proxy(Class<T> type, Object target, Result results) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              try {
                return results.of(method.getName(), method.invoke(target, arguments));
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }
}

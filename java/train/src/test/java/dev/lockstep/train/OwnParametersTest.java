package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.TrainingConfig.EarlyStopping;
import dev.lockstep.train.TrainingConfig.Validation;
import dev.lockstep.train.strategy.ElasticAveraging;
import dev.lockstep.train.strategy.ElasticAveraging.Synchronization;
import dev.lockstep.train.strategy.Gossip;
import dev.lockstep.train.strategy.Gossip.Graph;
import dev.lockstep.train.strategy.MixingWeights;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ranks that train parameters of their own end with the model on which they agreed, however a run
 * ends.
 */
@Timeout(120)
class OwnParametersTest {
  private static final int RANKS = 3;

  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  static Stream<StrategyConfig> strategies() {
    ElasticAveraging.Options elastic = ElasticAveraging.Options.of(2, null, null, null);
    return Stream.of(
        StrategyConfig.of(elastic),
        StrategyConfig.of(elastic.withAsynchronous()),
        StrategyConfig.of(Gossip.Options.of(Graph.RING, 2, null)));
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void alsoWhereEarlyStoppingEndsItWithinAnEpoch(StrategyConfig strategy) throws Exception {
    TrainingConfig early =
        TrainingConfig.of(9, 30, null, null, null, null, EarlyStopping.of(1, 1e9))
            .withValidation(new Validation(null, 3L, null));
    Runs.Plan plan = Runs.Plan.of(9, Runs.SGD).training(early).strategy(strategy);
    assertSameModel(Runs.train(RANKS, plan, data, folder));
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void alsoWhereARunThatIsOverIsResumed(StrategyConfig strategy) throws Exception {
    Runs.Plan plan = Runs.Plan.of(2, Runs.SGD).strategy(strategy);
    List<TrainingResult> ended = Runs.train(RANKS, plan, data, folder);
    List<TrainingResult> again =
        RankThreads.run(RANKS, ranks -> Runs.train(plan, data, ranks, folder, true));
    assertEquals(assertSameModel(ended), assertSameModel(again));
  }

  private static String assertSameModel(List<TrainingResult> results) {
    List<String> hashes = results.get(0).summary().orElseThrow().parametersSha256();
    assertEquals(RANKS, hashes.size());
    assertEquals(1, new HashSet<>(hashes).size(), hashes.toString());
    return hashes.get(0);
  }

  @Test
  void keysWithoutEffectAreRefused() {
    assertThrows(
        ConfigKeyException.class,
        () -> Gossip.Options.of(Graph.RING, null, null, null, MixingWeights.Design.SINKHORN_KNOPP));
    assertThrows(
        ConfigKeyException.class,
        () -> ElasticAveraging.Options.of(Synchronization.ASYNCHRONOUS, null, null, 0.3, 0.9));
  }
}

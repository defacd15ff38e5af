package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.comm.Communicator;
import dev.lockstep.model.FloatType;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.optimizer.LocalOptimizer;
import dev.lockstep.train.strategy.Gossip.Graph;
import java.nio.DoubleBuffer;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** How near exchanges alone bring the ranks to the mean of all. */
@Timeout(60)
class GossipExchangeTest {

  /**
   * Rank i begins with the i-th unit vector, so that the ranks' vectors are the rows of the product
   * of mixing matrices; with the mean of all, each element would be 1/n. The distances are those of
   * the product of the matrices (I + S^hop)/2, S the shift, multiplied out.
   */
  @ParameterizedTest
  @CsvSource({
    "EXPONENTIAL, 4, 2, 0",
    "EXPONENTIAL, 8, 3, 0",
    "EXPONENTIAL, 6, 3, 0.0833333333333333",
    "EXPONENTIAL, 6, 18, 3.5603841145842585e-05",
    "EXPONENTIAL, 5, 18, 2.7465820312488898e-05",
    "EXPONENTIAL, 3, 1000, 0",
    "RING, 3, 1, 0",
    "RING, 5, 1000, 0",
    "COMPLETE, 5, 1, 0"
  })
  void exchangesBringRanksToTheMean(Graph graph, int ranks, int exchanges, double distance)
      throws Exception {
    Gossip.Options options = Gossip.Options.of(graph, null, 1_000_000);
    List<double[]> rows = RankThreads.run(ranks, group -> mixed(group, options, exchanges));
    double farthest = 0;
    for (int column = 0; column < ranks; column++) {
      double sum = 0;
      for (double[] row : rows) {
        sum += row[column];
        farthest = Math.max(farthest, Math.abs(row[column] - 1.0 / ranks));
      }
      assertEquals(1, sum, 1e-12, "the sum over ranks is kept");
    }
    assertEquals(distance, farthest, 1e-12);
  }

  /** The ranks' vectors are the rows of the weights' matrix to the power of the exchanges. */
  @ParameterizedTest
  @EnumSource(MixingWeights.Design.class)
  void onAUsersGraphExchangesAreThePowersOfItsWeights(MixingWeights.Design design)
      throws Exception {
    List<String> edges = List.of("0-1", "1-2", "1-3", "3-4");
    Gossip.Options options = Gossip.Options.of(Graph.USER, 1, 1_000_000, edges, design);
    List<double[]> rows = RankThreads.run(5, group -> mixed(group, options, 3));
    double[][] once = MixingWeights.of(GossipPeers.neighbours(edges, 5), design);
    double[][] thrice = product(once, product(once, once));
    for (int rank = 0; rank < 5; rank++) {
      assertArrayEquals(thrice[rank], rows.get(rank), 1e-12, "rank " + rank);
    }
  }

  private static double[][] product(double[][] a, double[][] b) {
    double[][] c = new double[a.length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a.length; j++) {
        for (int k = 0; k < a.length; k++) {
          c[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return c;
  }

  private static double[] mixed(Communicator group, Gossip.Options options, int exchanges) {
    ModelConfig config = ModelConfig.of(null, List.of(), null, null, FloatType.FLOAT64);
    try (Model model = Model.mlp(config, group.size(), 1, 1);
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
      GossipExchange exchange =
          new GossipExchange(
              options,
              context,
              parameters,
              context.buffers(),
              context.own(new LocalOptimizer(context.optimizer(), parameters)));
      DoubleBuffer vector = vector(parameters.values(), group.size());
      for (int i = 0; i < group.size(); i++) {
        vector.put(i, i == group.rank() ? 1 : 0);
      }
      for (int step = 0; step < exchanges; step++) {
        exchange.afterUpdate(
            new Step(step, Step.NONE.batch(), List.of(), 0, 0, Step.NONE.needs()),
            new Reduced(List.of(), 0, true, Set.of()));
      }
      double[] row = new double[group.size()];
      vector.get(0, row);
      return row;
    }
  }

  /** The weights, of which there are as many as ranks. */
  private static DoubleBuffer vector(FlatBuffers flat, int count) {
    Slot slot =
        flat.layout().slots().stream()
            .filter(any -> any.count() == count)
            .findFirst()
            .orElseThrow();
    return NativeView.bytes(flat.address(slot), (long) count * Double.BYTES).asDoubleBuffer();
  }
}

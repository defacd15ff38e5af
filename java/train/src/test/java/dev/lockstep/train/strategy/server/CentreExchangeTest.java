package dev.lockstep.train.strategy.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.checkpoint.Placement;
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
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.optimizer.LocalOptimizer;
import dev.lockstep.train.strategy.OwnParameters;
import dev.lockstep.train.strategy.RoleContext;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Asynchronous elastic averaging on the quadratic x²/2, where ranks exchange with the centre one
 * after the other (Zhang et al. 2015, section 4, for which the paper derives when it is stable).
 */
@Timeout(120)
class CentreExchangeTest {
  private static final double RATE = 0.5;

  /** The paper's: round robin is stable for 0 ≤ α ≤ (4 − 2η) ÷ (4 − η). */
  private static final double BOUND = (4 - 2 * RATE) / (4 - RATE);

  private static final int ROUNDS = 120;

  /**
   * The factors by which a round contracts or expands far from its beginning are the spectral radii
   * of its linear map, computed apart from this, to three digits.
   */
  @ParameterizedTest
  @CsvSource({"1, 0.99, 0.983", "1, 1.01, 1.017", "8, 0.99, 0.969", "8, 1.01, 1.017"})
  void theTrajectoryIsTheHandComputedOneAndStableUpToThePapersBound(
      int ranks, double ofBound, double radius) throws Exception {
    double alpha = ofBound * BOUND;
    List<Semaphore> turns = IntStream.range(0, ranks).mapToObj(r -> new Semaphore(0)).toList();
    turns.get(0).release();
    List<double[]> found = RankThreads.run(ranks, group -> train(group, alpha, turns));
    double[] x = new double[ranks];
    for (int r = 0; r < ranks; r++) {
      x[r] = start(r);
    }
    double centre = 1;
    double[] size = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      for (int r = 0; r < ranks; r++) {
        double pull = alpha * (x[r] - centre);
        x[r] = x[r] - RATE * x[r] - pull;
        centre += pull;
        double scale = Math.max(1, Math.abs(x[r]));
        assertEquals(x[r], found.get(r)[round], 1e-12 * scale, "rank " + r + ", round " + round);
        size[round] += x[r] * x[r];
      }
      size[round] = Math.sqrt(size[round] + centre * centre);
    }
    for (double[] rank : found) {
      assertEquals(
          centre, rank[ROUNDS], 1e-12 * Math.max(1, Math.abs(centre)), "the centre is shown");
      assertEquals(rank[ROUNDS - 1], rank[ROUNDS + 1], 0, "and then each rank has its own again");
    }
    double each = Math.pow(size[ROUNDS - 1] / size[ROUNDS - 41], 1 / 40.0);
    assertEquals(radius, each, 2e-3, "growth a round");
    assertTrue(ofBound < 1 == each < 1);
  }

  private static double start(int rank) {
    return 2 - 0.75 * rank;
  }

  /** The parameter after each step, then the one shown, then the one trained on with. */
  private static double[] train(Communicator group, double alpha, List<Semaphore> turns)
      throws InterruptedException {
    ModelConfig config = ModelConfig.of(null, List.of(), null, null, FloatType.FLOAT64);
    try (Model model = Model.mlp(config, 1, 1, 1);
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
      OwnParameters own = context.own(new OwnParameters(parameters, Placement.Resize.FIRST));
      CentreExchange exchange =
          context.own(
              new CentreExchange(
                  1,
                  alpha,
                  context,
                  parameters,
                  context.buffers(),
                  context.own(new LocalOptimizer(context.optimizer(), parameters)),
                  own));
      TrainingState state = new TrainingState();
      exchange.declare(state);
      put(parameters.values(), 1);
      state.broadcast(group);
      put(parameters.values(), start(group.rank()));
      double[] trajectory = new double[ROUNDS + 2];
      for (int round = 0; round < ROUNDS; round++) {
        turns.get(group.rank()).acquire();
        Step now = new Step(round, Step.NONE.batch(), List.of(), RATE, 0, Step.NONE.needs());
        exchange.begin(now);
        double x = get(parameters.values());
        put(parameters.values(), x - RATE * x);
        exchange.afterUpdate(now, new Reduced(List.of(), 0, true, Set.of()));
        trajectory[round] = get(parameters.values());
        turns.get((group.rank() + 1) % group.size()).release();
      }
      exchange.synchronize(SyncPoint.EVALUATION);
      trajectory[ROUNDS] = get(parameters.values());
      exchange.goOn();
      trajectory[ROUNDS + 1] = get(parameters.values());
      return trajectory;
    }
  }

  private static void put(FlatBuffers flat, double value) {
    NativeView.bytes(flat.address(0), Double.BYTES).putDouble(0, value);
  }

  private static double get(FlatBuffers flat) {
    return NativeView.bytes(flat.address(0), Double.BYTES).getDouble(0);
  }
}

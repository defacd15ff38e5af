package dev.lockstep.train.strategy;

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
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.optimizer.LocalOptimizer;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Synchronous EASGD on the quadratic x²/2, where a step is a linear map of the ranks' parameters
 * and the centre (Zhang et al. 2015, section 4).
 */
@Timeout(60)
class ElasticExchangeTest {
  private static final int RANKS = 4;
  private static final double RATE = 0.1;
  private static final double BETA = 0.9;
  private static final int STEPS = 200;

  /** The spectral radius of the map for 4 ranks, η = 0.1 and β = 0.9, to 4 digits. */
  private static final double RADIUS = 0.9215;

  @Test
  void theTrajectoryOnAQuadraticIsThatOfTheLinearMap() throws Exception {
    List<double[]> ranks = RankThreads.run(RANKS, ElasticExchangeTest::train);
    double[] state = {2, -1, 0.5, 3, 1};
    double[] before = state;
    for (int step = 0; step < STEPS; step++) {
      before = state;
      state = mapped(state);
      for (int rank = 0; rank < RANKS; rank++) {
        assertEquals(
            state[rank], ranks.get(rank)[step], 1e-12, "rank " + rank + " after step " + step);
      }
    }
    assertEquals(RADIUS, state[RANKS] / before[RANKS], 1e-4, "contraction of the centre");
    for (double[] rank : ranks) {
      assertEquals(state[RANKS], rank[STEPS], 1e-12, "the model that is shown is the centre");
      assertEquals(rank[STEPS - 1], rank[STEPS + 1], 0, "and then each rank has its own again");
    }
  }

  /** (x₁, …, x₄, centre) after one more step, by the paper's equations. */
  private static double[] mapped(double[] state) {
    double alpha = BETA / RANKS;
    double[] next = new double[RANKS + 1];
    double mean = 0;
    for (int i = 0; i < RANKS; i++) {
      mean += state[i] / RANKS;
      next[i] = state[i] - RATE * state[i] - alpha * (state[i] - state[RANKS]);
    }
    next[RANKS] = (1 - BETA) * state[RANKS] + BETA * mean;
    return next;
  }

  /** The first parameter after each step, then the one shown, then the one trained on with. */
  private static double[] train(Communicator group) {
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
      ModelBuffers buffers = context.buffers();
      LocalOptimizer optimizer = context.own(new LocalOptimizer(context.optimizer(), parameters));
      ElasticExchange exchange =
          new ElasticExchange(
              ElasticAveraging.Options.of(1, null, null, BETA),
              context,
              parameters,
              buffers,
              optimizer);
      TrainingState state = new TrainingState();
      exchange.declare(state);
      put(parameters.values(), 1);
      state.broadcast(group);
      put(parameters.values(), new double[] {2, -1, 0.5, 3}[group.rank()]);
      double[] trajectory = new double[STEPS + 2];
      for (int step = 0; step < STEPS; step++) {
        Step now = new Step(step, Step.NONE.batch(), List.of(), RATE, 0, Step.NONE.needs());
        exchange.begin(now);
        double x = get(parameters.values());
        put(parameters.values(), x - RATE * x);
        exchange.afterUpdate(now, new Reduced(List.of(), 0, true, Set.of()));
        trajectory[step] = get(parameters.values());
      }
      exchange.synchronize(SyncPoint.EVALUATION);
      trajectory[STEPS] = get(parameters.values());
      exchange.goOn();
      trajectory[STEPS + 1] = get(parameters.values());
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

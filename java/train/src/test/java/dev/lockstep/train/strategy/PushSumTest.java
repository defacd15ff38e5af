package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import dev.lockstep.train.engine.TrainingState.Entry;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.optimizer.LocalOptimizer;
import dev.lockstep.train.strategy.Gossip.Graph;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Stochastic gradient push between ranks. */
@Timeout(120)
class PushSumTest {
  /** NumPy's default_rng(0).normal(size=8). */
  private static final double[] START = {
    0.1257302210933933,
    -0.1321048632913019,
    0.6404226504432821,
    0.10490011715303971,
    -0.535669373161111,
    0.36159505490948474,
    1.3040000451301372,
    0.9470809631292422
  };

  /** Whose ranks tell 2, 1, 2 and 1 others. */
  private static final Gossip.Options DIRECTED =
      Gossip.Options.of(
          Graph.USER, 1, 1_000_000, List.of("0>1", "1>2", "2>0", "0>2", "2>3", "3>0"), null, true);

  /** The distances of z from the mean by a NumPy program that shifts and halves arrays. */
  @ParameterizedTest
  @CsvSource({
    "4, 2, 0",
    "8, 3, 0",
    "6, 3, 0.07738256563212503",
    "6, 18, 2.063206859287403e-05",
    "5, 3, 0.08300140833767511",
    "5, 18, 2.6431425947881504e-05"
  })
  void onTheExponentialGraphRanksComeToTheMeanAsTheReferenceDoes(
      int ranks, int exchanges, double distance) throws Exception {
    Gossip.Options options = Gossip.Options.of(Graph.EXPONENTIAL, 1, 1_000_000).withPushSum();
    List<Rank.Seen> seen = RankThreads.run(ranks, group -> run(group, options, exchanges, 0));
    double mean = Arrays.stream(START).limit(ranks).average().orElseThrow();
    double farthest =
        seen.stream().mapToDouble(rank -> Math.abs(rank.z() - mean)).max().orElseThrow();
    assertEquals(distance, farthest, 1e-12);
  }

  /** The weights are those to which NumPy's powers of the matrix of shares come. */
  @Test
  void onADirectedGraphTheQuotientComesToTheMeanAndTheWeightsSumToTheRanks() throws Exception {
    List<Rank.Seen> seen = RankThreads.run(4, group -> run(group, DIRECTED, 60, 0));
    double mean = Arrays.stream(START).limit(4).average().orElseThrow();
    double[] weights = {1.2, 0.8, 1.2, 0.8};
    for (int rank = 0; rank < 4; rank++) {
      assertEquals(mean, seen.get(rank).z(), 1e-12, "rank " + rank);
      assertEquals(weights[rank], seen.get(rank).w(), 1e-12, "the weight of rank " + rank);
      assertEquals(mean, seen.get(rank).shown(), 1e-12, "what is scored and saved");
    }
  }

  /** Gradients are of the quadratic x²/2 at z, and are taken from x: line by line the algorithm. */
  @Test
  void aStepTakesTheGradientAtTheQuotientFromTheBiasedParameters() throws Exception {
    double rate = 0.1;
    int steps = 25;
    List<Rank.Seen> seen = RankThreads.run(4, group -> run(group, DIRECTED, steps, rate));
    double[] x = Arrays.copyOf(START, 4);
    double[] w = {1, 1, 1, 1};
    // Column j: what rank j gives to whom.
    double[][] p = {
      {1 / 3.0, 0, 1 / 3.0, 1 / 2.0},
      {1 / 3.0, 1 / 2.0, 0, 0},
      {1 / 3.0, 1 / 2.0, 1 / 3.0, 0},
      {0, 0, 1 / 3.0, 1 / 2.0}
    };
    for (int step = 0; step < steps; step++) {
      for (int rank = 0; rank < 4; rank++) {
        x[rank] -= rate * x[rank] / w[rank];
      }
      x = product(p, x);
      w = product(p, w);
    }
    for (int rank = 0; rank < 4; rank++) {
      assertEquals(x[rank] / w[rank], seen.get(rank).z(), 1e-12, "z of rank " + rank);
      assertEquals(x[rank], seen.get(rank).x(), 1e-12, "x of rank " + rank);
    }
    double mean = Arrays.stream(x).sum() / Arrays.stream(w).sum();
    assertEquals(mean, seen.get(2).shown(), 1e-12);
    assertEquals(seen.get(2).z(), seen.get(2).after(), 0, "training goes on with its own");
  }

  private static double[] product(double[][] p, double[] x) {
    double[] next = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x.length; j++) {
        next[i] += p[i][j] * x[j];
      }
    }
    return next;
  }

  /** Of a rank that leaves, those who told it keep their shares from then on. */
  @Test
  void theMassOfThoseWhoAreLeftIsKeptAfterARankHasLeft() throws Exception {
    Gossip.Options options = Gossip.Options.of(Graph.RING, 1, 1_000_000).withPushSum();
    List<double[]> sums =
        RankThreads.run(
            5,
            group -> {
              try (Rank rank = new Rank(group, options)) {
                for (int step = 0; step < 400; step++) {
                  if (group.rank() == 2 && step == 100) {
                    return new double[] {0, 0, 0, 0};
                  }
                  rank.step(step, 0);
                  if (step == 200) {
                    // All others have heard of it by then, whatever was under way.
                    rank.remember();
                  }
                }
                return rank.rememberedAndNow();
              }
            });
    double[] all = new double[4];
    for (double[] rank : sums) {
      for (int i = 0; i < 4; i++) {
        all[i] += rank[i];
      }
    }
    assertEquals(all[0], all[2], 1e-12, "the sum of x");
    assertEquals(all[1], all[3], 1e-12, "the sum of w");
    assertTrue(all[1] > 3 && all[1] < 5, "the weight of those who are left: " + all[1]);
  }

  private static Rank.Seen run(Communicator group, Gossip.Options options, int steps, double rate) {
    try (Rank rank = new Rank(group, options)) {
      for (int step = 0; step < steps; step++) {
        rank.step(step, rate);
      }
      return rank.seen();
    }
  }

  /** A rank with one parameter. */
  private static final class Rank implements AutoCloseable {
    private final Model model;
    private final RoleContext context;
    private final FlatParameters parameters;
    private final GossipExchange exchange;
    private final TrainingState state = new TrainingState();
    private double rememberedX;
    private double rememberedW;

    /**
     * @param shown the parameter after the ranks have shown the mean of all
     * @param after the one with which training goes on then
     */
    record Seen(double z, double x, double w, double shown, double after) {}

    Rank(Communicator group, Gossip.Options options) {
      ModelConfig config = ModelConfig.of(null, List.of(), null, null, FloatType.FLOAT64);
      model = Model.mlp(config, 1, 1, 1);
      context =
          new RoleContext(
              group, model, OptimizerConfig.defaults(), new Loss(LossType.MSE, 1), null, 1, null);
      parameters = context.parameters();
      exchange =
          new GossipExchange(
              options,
              context,
              parameters,
              context.buffers(),
              context.own(new LocalOptimizer(context.optimizer(), parameters)));
      exchange.declare(state);
      put(START[group.rank()]);
      state.broadcast(group);
    }

    void step(int step, double rate) {
      put(z() - rate * z());
      exchange.afterUpdate(
          new Step(step, Step.NONE.batch(), List.of(), rate, 0, Step.NONE.needs()),
          new Reduced(List.of(), 0, true, Set.of()));
    }

    Seen seen() {
      double z = z();
      double x = saved("push_sum.biased.");
      double w = saved("push_sum.weight");
      exchange.synchronize(SyncPoint.EVALUATION);
      double shown = z();
      exchange.goOn();
      return new Seen(z, x, w, shown, z());
    }

    void remember() {
      rememberedX = saved("push_sum.biased.");
      rememberedW = saved("push_sum.weight");
    }

    double[] rememberedAndNow() {
      return new double[] {
        rememberedX, rememberedW, saved("push_sum.biased."), saved("push_sum.weight")
      };
    }

    private double saved(String name) {
      Entry entry =
          state.entries().stream()
              .filter(any -> any.name().startsWith(name))
              .findFirst()
              .orElseThrow();
      return NativeView.bytes(entry.address(), Double.BYTES).getDouble(0);
    }

    private void put(double value) {
      NativeView.bytes(parameters.values().address(0), Double.BYTES).putDouble(0, value);
    }

    private double z() {
      return NativeView.bytes(parameters.values().address(0), Double.BYTES).getDouble(0);
    }

    @Override
    public void close() {
      try (model) {
        context.close();
      }
    }
  }
}
